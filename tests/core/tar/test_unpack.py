"""Archives unpacked into a directory: what they hold, and what they try."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import lzma
import os
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, cast

import pytest
import zstandard

from pyd_core.daemon.images.streams import HashingReader, decompress
from pyd_core.errors import InvalidInput
from pyd_core.tar.reader import TarReader
from pyd_core.tar.unpack import Unpacker, UnpackLimits

Member = tuple[tarfile.TarInfo, bytes]


def member(name: str, body: bytes = b"", kind: bytes = tarfile.REGTYPE, link: str = "") -> Member:
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname, entry.size, entry.mode = kind, link, len(body), 0o755
    entry.uid, entry.gid, entry.mtime = os.getuid(), os.getgid(), 1_000_000
    return entry, body


def archive(*members: Member, form: int = tarfile.PAX_FORMAT) -> io.BytesIO:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as tar:
        for entry, body in members:
            tar.addfile(entry, io.BytesIO(body))
    buffer.seek(0)
    return buffer


def unpack(target: Path, *members: Member, **options: Any) -> None:
    Unpacker(target, **options).run(archive(*members))


@pytest.fixture
def target(tmp_path: Path) -> Path:
    directory = tmp_path / "inside"
    directory.mkdir()
    return directory


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_files_directories_and_links_come_out_as_they_were(target: Path, form: int):
    long = "d/" + "n" * 150
    members = (
        member("d", kind=tarfile.DIRTYPE),
        member(long, b"long"),
        member("d/file", b"x" * 100_000),
        member("d/hard", kind=tarfile.LNKTYPE, link="d/file"),
        member("d/soft", kind=tarfile.SYMTYPE, link="../elsewhere"),
    )
    Unpacker(target).run(archive(*members, form=form))
    assert (target / long).read_bytes() == b"long"
    assert (target / "d/file").stat().st_size == 100_000
    assert (target / "d/hard").stat().st_ino == (target / "d/file").stat().st_ino
    assert (target / "d/soft").readlink() == Path("../elsewhere")
    assert (target / "d").stat().st_mtime == 1_000_000
    assert (target / "d/file").stat().st_mode & 0o777 == 0o755


def test_a_later_member_takes_the_place_of_an_earlier_one(target: Path):
    unpack(target, member("a", b"one"), member("a", b"two"), member("d/x", b""), member("d", b"file"))
    assert (target / "a").read_bytes() == b"two"
    assert (target / "d").read_bytes() == b"file"


def test_a_directory_in_the_place_of_a_link_is_what_later_members_go_to(target: Path):
    unpack(
        target,
        member("real", kind=tarfile.DIRTYPE),
        member("way", kind=tarfile.SYMTYPE, link="real"),
        member("way/before", b""),
        member("way", kind=tarfile.DIRTYPE),
        member("way/after", b""),
    )
    assert [path.name for path in (target / "real").iterdir()] == ["before"]
    assert [path.name for path in (target / "way").iterdir()] == ["after"]


HOSTILE: dict[str, Callable[[Path], tuple[Member, ...]]] = {
    "dots": lambda _: (member("../planted", b"x"),),
    "dots inside": lambda _: (member("a/../../planted", b"x"),),
    "absolute": lambda outside: (member(f"{outside}/planted", b"x"),),
    "through a link": lambda outside: (
        member("way", kind=tarfile.SYMTYPE, link=str(outside)),
        member("way/planted", b"x"),
    ),
    "through a relative link": lambda _: (
        member("way", kind=tarfile.SYMTYPE, link=".."),
        member("way/planted", b"x"),
    ),
    "over a link to a file": lambda outside: (
        member("file", kind=tarfile.SYMTYPE, link=str(outside / "victim")),
        member("file", b"overwritten"),
    ),
    "hard link out": lambda outside: (
        member("stolen", kind=tarfile.LNKTYPE, link=f"../{outside.name}/victim"),
        member("stolen", b"overwritten"),
    ),
    "hard link through a link": lambda outside: (
        member("way", kind=tarfile.SYMTYPE, link=str(outside)),
        member("stolen", kind=tarfile.LNKTYPE, link="way/victim"),
    ),
    "directory over a link": lambda outside: (
        member("way", kind=tarfile.SYMTYPE, link=str(outside)),
        member("way", kind=tarfile.DIRTYPE),
        member("way/planted", b"x"),
    ),
}


@pytest.mark.parametrize("trick", HOSTILE)
def test_nothing_leads_out_of_the_directory(target: Path, tmp_path: Path, trick: str):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "victim").write_bytes(b"untouched")
    with contextlib.suppress(InvalidInput):  # refused, or done inside: both are safe
        unpack(target, *HOSTILE[trick](outside))
    assert (outside / "victim").read_bytes() == b"untouched"
    assert [path.name for path in outside.iterdir()] == ["victim"]
    assert not (tmp_path / "planted").exists()
    stolen = target / "stolen"
    assert not stolen.exists() or stolen.stat().st_ino != (outside / "victim").stat().st_ino


def test_a_damaged_archive_is_refused(target: Path):
    whole = archive(member("a", b"x" * 5000)).getvalue()
    for broken in (whole[:1500], whole[:100] + b"\xff" * 50 + whole[150:], b"not a tar at all" * 100):
        with pytest.raises(InvalidInput):
            Unpacker(target).run(io.BytesIO(broken))


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress, bz2.compress, zstandard.compress])
def test_damaged_compression_is_refused_wherever_it_is_damaged(pack: Callable[[bytes], bytes]):
    whole = pack(os.urandom(100) * 20)
    for offset in range(7, len(whole)):
        broken = bytearray(whole)
        broken[offset] ^= 0xFF
        with contextlib.suppress(InvalidInput):
            HashingReader(decompress(cast("BinaryIO", io.BytesIO(broken)))).digest()


def test_a_flipped_bit_anywhere_in_a_header_is_noticed(target: Path):
    whole = archive(member("a" * 99, b"", link="b" * 99)).getvalue()
    for offset in (0, 98, 124, 255, 256, 257, 511):
        broken = bytearray(whole)
        broken[offset] ^= 1
        with pytest.raises(InvalidInput, match="checksum"):
            Unpacker(target).run(io.BytesIO(bytes(broken)))


def test_an_archive_that_grows_beyond_bounds_is_refused(target: Path):
    with pytest.raises(InvalidInput, match="bounds"):
        Unpacker(target, limits=UnpackLimits(bytes=1000)).run(archive(member("a", b"x" * 2000)))
    with pytest.raises(InvalidInput, match="bounds"):
        Unpacker(target, limits=UnpackLimits(entries=2)).run(archive(member("a"), member("b"), member("c")))


def test_without_layers_whiteout_names_are_plain_files(target: Path):
    unpack(target, member(".wh.gone", b""), layer=False)
    assert (target / ".wh.gone").exists()


def test_copying_strictly_never_puts_a_file_over_a_directory(target: Path):
    (target / "d").mkdir()
    with pytest.raises(InvalidInput):
        unpack(target, member("d", b"file"), layer=False, strict=True)
    assert (target / "d").is_dir()


def test_a_prefix_keeps_links_inside_the_whole_root(target: Path):
    (target / "data").symlink_to("/real")
    (target / "real").mkdir()
    Unpacker(target, layer=False, prefix="/data").run(archive(member("file", b"x")))
    assert (target / "real/file").read_bytes() == b"x"


def test_members_can_be_read_or_left(target: Path):
    reader = TarReader(archive(member("a", b"1" * 700), member("b", b"2" * 3)))
    entries = [(entry.name, reader.read_content() if entry.name == b"b" else b"") for entry in reader]
    assert entries == [(b"a", b""), (b"b", b"222")]


def test_hashing_sees_every_byte_however_it_is_read():
    import hashlib

    body = os.urandom(3_000_000)
    hashed = HashingReader(io.BytesIO(body))
    assert hashed.read(10) == body[:10]
    assert hashed.read(2_500_000) == body[10:2_500_010]
    assert hashed.digest() == f"sha256:{hashlib.sha256(body).hexdigest()}"


@pytest.mark.parametrize("read", [True, False])
def test_the_last_members_padding_may_be_missing_but_none_of_its_content(read: bool):
    whole = archive(member("a", b"x" * 700), member("b", b"y" * 700), form=tarfile.USTAR_FORMAT).getvalue()
    end = 2 * 512 + 1024 + 700
    for size, fits in ((end, True), (end + 1, True), (end - 1, False)):
        reader = TarReader(io.BytesIO(whole[:size]))
        with contextlib.nullcontext() if fits else pytest.raises(InvalidInput, match="ends too early"):
            assert [(entry.name, reader.read_content() if read else b"") for entry in reader] == [
                (name, body * 700 if read else b"") for name, body in ((b"a", b"x"), (b"b", b"y"))
            ]


def test_errors_of_unpacking_carry_no_errno(target: Path):
    with pytest.raises(InvalidInput) as caught:
        unpack(target, member("n" * 300, b"x"))
    assert caught.value.message == f"can't unpack '{'n' * 200}': file name too long"
    with pytest.raises(InvalidInput, match=r"leads out: '\.\./x'"):
        unpack(target, member("../x"))
    with pytest.raises(InvalidInput, match=r"unknown type 'S'"):
        unpack(target, member("s", kind=tarfile.GNUTYPE_SPARSE))


def test_holes_of_a_sparse_file_stay_holes(target: Path):
    """An archive of two kilobytes says that a file has 64 GiB of zeros."""
    entry, body = member("sparse", b"1\n0\n4\n".ljust(512, b"\0") + b"data")
    entry.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": str(64 << 30)}
    unpack(target, (entry, body), member("after", b"next"))
    status = (target / "sparse").stat()
    assert status.st_size == 64 << 30
    assert status.st_blocks * 512 < 1 << 20
    with (target / "sparse").open("rb") as file:
        assert file.read(6) == b"data\0\0"
    assert (target / "after").read_bytes() == b"next"
