"""Tar reader: archives of other programs, and archives that readers disagree on."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from pyd_core.errors import InvalidInput
from pyd_core.tar.entry import TarEntry
from pyd_core.tar.reader import TarReader
from support.tar_readers.comparison import contradiction, contradictions, other_readers
from support.tar_readers.generator import BLOCK, checksummed
from support.tar_readers.readers import gnu, python

SEEDS = 150
END = bytes(2 * BLOCK)


def read(archive: bytes) -> list[tuple[TarEntry, bytes]]:
    reader = TarReader(io.BytesIO(archive))
    return [(entry, reader.read_content()) for entry in reader]


def names(archive: bytes) -> list[tuple[bytes, bytes]]:
    return [(entry.name, data) for entry, data in read(archive)]


def header(name: bytes, *, kind: bytes = b"0", size: int = 0, **fields: bytes) -> bytes:
    """Make a ustar header; `fields` are put where tar(5) has them."""
    offsets = {
        "mode": 100,
        "uid": 108,
        "gid": 116,
        "length": 124,
        "checksum": 148,
        "link": 157,
        "magic": 257,
        "prefix": 345,
        "trailer": 508,
    }
    block = bytearray(name.ljust(100, b"\0") + b"0000644\0" + b"0000000\0" * 2 + b"%011o\0" % size + b"00000000000\0")
    block += b" " * 8 + kind + bytes(100) + b"ustar\x0000" + bytes(64) + b"0000000\0" * 2 + bytes(167)
    for field, value in fields.items():
        block[offsets[field] : offsets[field] + len(value)] = value
    return bytes(block) if "checksum" in fields else checksummed(bytes(block))


def padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % BLOCK)


def member(name: bytes, data: bytes, **fields: bytes) -> bytes:
    return header(name, size=len(data), **fields) + padded(data)


def extended(kind: bytes, data: bytes) -> bytes:
    return member(b"././@LongLink", data, kind=kind)


def record(key: bytes, value: bytes) -> bytes:
    size = len(key) + len(value) + 3
    return b"%d %s=%s\n" % (size + len(b"%d" % (size + 2)), key, value)


HIDDEN = member(b"hidden", b"HOSTILE")
LONG = b"a" * 99 + b"/notes.txt"


@pytest.mark.parametrize(
    "before", [extended(b"L", LONG + b"\0"), extended(b"x", record(b"path", LONG))], ids=["L", "x"]
)
def test_data_of_a_file_whose_truncated_name_ends_with_a_slash_is_not_parsed(before: bytes):
    """Version 0.1 treated the file as a directory because of its truncated name, and unpacked its data."""
    assert names(before + member(LONG[:100], HIDDEN) + END) == [(LONG, HIDDEN)]


def test_data_of_a_file_with_a_directorys_name_is_not_parsed():
    """Version 0.1 unpacked `hidden`; Go has one file here, as pyd has."""
    assert names(member(b"notes/", HIDDEN) + member(b"b", b"") + END) == [(b"notes/", HIDDEN), (b"b", b"")]


def test_an_archive_with_a_label_has_no_file_with_a_directorys_name():
    """Go refuses labels; GNU tar and libarchive skip them, and read a directory."""
    label = header(b"label", kind=b"V")
    assert names(label + member(b"notes", b"1") + END) == [(b"notes", b"1")]
    with pytest.raises(InvalidInput, match="directory's name"):
        read(label + member(b"notes/", HIDDEN) + END)


@pytest.mark.parametrize(
    "refused_by_go",
    [
        header(b"label", kind=b"V"),
        extended(b"X", record(b"comment", b"1")) + member(b"a", b"1"),
        header(b"contiguous", kind=b"7"),
        header(b"sparse", kind=b"S", magic=b"ustar  \0"),
    ],
    ids=["label", "Solaris", "contiguous", "sparse"],
)
@pytest.mark.parametrize(
    "disputed",
    [
        extended(b"x", record(b"size", b"1")) + header(b"fifo", kind=b"6"),
        member(b"notes/", HIDDEN),
        header(b"f", magic=b"ustar  \0", prefix=b"some/where"),
    ],
    ids=["size", "directory's name", "prefix of old Go"],
)
def test_disputes_matter_in_archives_that_go_refuses(disputed: bytes, refused_by_go: bytes):
    """GNU tar and libarchive agree on another reading than Go's, wherever in the archive Go's reason to refuse is."""
    read(disputed + HIDDEN + END)
    read(refused_by_go + HIDDEN + END)
    for archive in (disputed + refused_by_go, refused_by_go + disputed):
        with pytest.raises(InvalidInput, match=r"has a size|directory's name|has a prefix"):
            read(archive + HIDDEN + END)


def test_a_damaged_mode_of_a_symbolic_link_does_not_matter():
    damaged_mode = b"\x0000755\0"
    assert [entry.kind for entry, _ in read(header(b"link", kind=b"2", mode=damaged_mode) + END)] == [b"2"]
    with pytest.raises(InvalidInput, match="after a NUL"):
        read(header(b"file", mode=damaged_mode) + END)


def test_the_size_of_a_member_without_data_does_not_matter():
    archive = header(b"link", kind=b"2", length=bytes(8) + b"001\0") + member(b"a", b"1")
    assert names(archive + END) == [(b"link", b""), (b"a", b"1")]


def test_a_prefix_of_an_extended_header_or_of_a_renamed_member_does_not_matter():
    """All readers agree where the name in a header of an unknown format is not used."""
    global_header = member(b"pax", record(b"comment", b"1"), kind=b"g", magic=b"ustar\x8000", prefix=b"pre")
    assert names(global_header + member(b"a", b"1") + END) == [(b"a", b"1")]
    unknown = member(b"a", b"1", magic=b"ustar\x8000", prefix=b"pre")
    assert names(extended(b"x", record(b"path", b"one")) + unknown + END) == [(b"one", b"1")]
    assert names(extended(b"L", b"one\0") + unknown + END) == [(b"one", b"1")]


def test_a_long_link_that_continues_after_its_end_matters_to_links_only():
    """GNU tar and Python read such a name to its NUL, but only links use it."""
    long_link = header(b"././@LongLink", kind=b"K", size=5) + padded(b"target/and/more\0")
    assert names(long_link + member(b"a", b"1") + END) == [(b"a", b"1")]
    for kind in (b"1", b"2"):
        with pytest.raises(InvalidInput, match="continues after its end"):
            read(long_link + header(b"a", kind=kind) + END)


def test_an_empty_name_of_a_sparse_member_does_not_matter():
    assert names(extended(b"x", record(b"GNU.sparse.name", b"")) + member(b"a", b"1") + END) == [(b"a", b"1")]


def test_global_headers_are_ignored_as_in_go():
    """Version 0.1 renamed the file; Docker Engine does not."""
    archive = extended(b"g", record(b"path", b"bin/hidden") + record(b"comment", b"x")) + member(b"notes", b"1") + END
    assert names(archive) == [(b"notes", b"1")]


@pytest.mark.parametrize(
    "archive",
    [
        extended(b"x", record(b"path", b"one")) + extended(b"g", record(b"comment", b"x")) + HIDDEN,
        extended(b"x", record(b"path", b"one")) + extended(b"x", record(b"mtime", b"1")) + HIDDEN,
        extended(b"L", b"one\0") + extended(b"L", b"two\0") + HIDDEN,
        extended(b"L", b"one\0") + extended(b"x", record(b"path", b"two")) + HIDDEN,
        extended(b"x", record(b"GNU.sparse.name", b"one")) + HIDDEN,
        extended(b"x", record(b"GNU.sparse.name", b"one/")) + header(b"old", kind=b"S", magic=b"ustar  \0") + HIDDEN,
        extended(b"X", record(b"size", b"1")) + header(b"link", kind=b"2") + HIDDEN,
        extended(b"L", b"\0") + HIDDEN,
        extended(b"K", b"\0") + header(b"link", kind=b"2", link=b"target"),
        header(b"file", length=b"\0\0007" + bytes(9)) + padded(b"1234567"),
        member(b"file", b"1", magic=b"ustar000", prefix=b"one"),
    ],
    ids=[
        "global between",
        "two pax",
        "two L",
        "L and pax",
        "sparse name",
        "sparse name of an old sparse file",
        "size of a link",
        "empty L",
        "empty K",
        "NUL before digits",
        "prefix",
    ],
)
def test_archives_that_readers_disagree_on_are_refused(archive: bytes):
    """Version 0.1 read each of them differently from other readers."""
    with pytest.raises(InvalidInput, match="damaged"):
        read(archive + END)


def test_a_damaged_time_in_a_header_that_go_forgets_does_not_matter():
    archive = extended(b"x", record(b"mtime", b"x")) + extended(b"x", record(b"path", b"one")) + member(b"two", b"1")
    with pytest.raises(InvalidInput):
        read(extended(b"x", record(b"mtime", b"x")) + member(b"two", b"1") + END)
    assert names(archive + END) == [(b"one", b"1")]


def test_a_damaged_number_in_a_header_that_go_forgets_matters_where_readers_disagree():
    """Other readers take a malformed number for 0."""
    damaged = extended(b"x", record(b"size", b" 1") + record(b"gid", b"x"))
    other = extended(b"x", record(b"path", b"one"))
    assert names(damaged + other + header(b"two", kind=b"5") + END) == [(b"one", b"")]
    no_number = extended(b"x", record(b"size", b"x"))
    assert names(no_number + other + header(b"two") + END) == [(b"one", b"")]
    with pytest.raises(InvalidInput):
        read(no_number + other + member(b"two", b"1") + END)
    no_size = extended(b"x", record(b"size", b"0")) + extended(b"g", record(b"comment", b"1"))
    assert names(no_size + header(b"old/", kind=b"\0", size=1) + END) == [(b"old/", b"")]
    for contradicting in (header(b"two", kind=b"5", gid=b"0001750"), member(b"two", b"1"), header(b"two")):
        with pytest.raises(InvalidInput):
            read(damaged + other + contradicting + END)


def test_a_name_that_fills_its_field_has_no_nul():
    name = b"d/" + b"n" * 98
    assert names(member(name, b"1") + END) == [(name, b"1")]
    assert names(member(b"f", b"1", prefix=b"P" * 155) + END) == [(b"P" * 155 + b"/f", b"1")]


def test_old_formats_are_read():
    """Numbers in base 256 and before blanks, checksums of signed bytes, version 7, star, and Go's before 1.8."""
    assert read(member(b"big", b"1", uid=b"\x80\0\0\0\0\0\x27\x10") + END)[0][0].uid == 10000
    assert read(member(b"blank", b"1", uid=b"  1750 \0") + END)[0][0].uid == 1000
    old = header(b"caf\xe9/", kind=b"\0", magic=bytes(8))
    signed = sum(byte - 256 * (byte > 127) for byte in old[:148] + b" " * 8 + old[156:])
    [(entry, _)] = read(old[:148] + b"%06o\0 " % signed + old[156:] + END)
    assert (entry.name, entry.kind) == (b"caf\xe9/", b"5")
    star = member(b"f", b"1", prefix=b"pre".ljust(131, b"\0") + b"00000000001 ", trailer=b"tar\0")
    assert names(star + END) == [(b"pre/f", b"1")]
    assert names(member(b"f", b"1", magic=b"ustar  \0", prefix=b"some/where") + END) == [(b"some/where/f", b"1")]
    assert names(member(b"f", b"1", magic=b"ustar  \0", prefix=b"%011o\0" % 9) + END) == [(b"f", b"1")]


@pytest.mark.parametrize("end", [b"", bytes(BLOCK), END, END + b"garbage" * 200, bytes(BLOCK) + b"\1" * BLOCK])
def test_data_after_the_last_member_is_not_read(end: bytes):
    assert names(member(b"f", b"1" * 513) + end) == [(b"f", b"1" * 513)]


@pytest.mark.parametrize(
    "archive",
    [
        header(b"f", checksum=b"000001\0 "),
        header(b"f", size=1),
        header(b"f")[:300],
        header(b"f", mode=b"1_0\0"),
        header(b"f", size=0, uid=b"-1\0"),
        extended(b"x", record(b"path", b"n")),
        extended(b"x", b"99999 path=x\n") + header(b"f"),
        extended(b"x", record(b"size", b"-1")) + header(b"f"),
        extended(b"x", record(b"path", b"a\0b")) + header(b"f"),
        header(b"long", kind=b"L", size=1 << 21),
        extended(b"x", record(b"GNU.sparse.major", b"1") + record(b"GNU.sparse.minor", b"0"))
        + member(b"f", b"9" * 600),
        extended(b"x", record(b"GNU.sparse.map", b"0,5,3,5") + record(b"GNU.sparse.size", b"9"))
        + member(b"f", b"9" * 10),
    ],
)
def test_damaged_archives_are_refused(archive: bytes):
    with pytest.raises(InvalidInput) as caught:
        read(archive)
    assert caught.value.reference == "bad-archive"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Files whose cut name ends with a slash, a deep directory, links, a sparse file."""
    top = tmp_path / "tree"
    (top / ("d" * 94)).mkdir(parents=True)
    (top / ("d" * 94) / "notes").write_text("long")  # "tree/ddd…/" has 100 bytes
    (top / "f").write_text("x" * 1000)
    (top / "hard").hardlink_to(top / "f")
    (top / "soft").symlink_to("s" * 150)
    with (top / "sparse").open("wb") as file:
        for number in range(30):
            file.seek(number * 100_000)
            file.write(b"%d" % number * 10)
        file.truncate(4_000_000)
    return top


TAR = {
    "gnu": [],
    "oldgnu": ["--sparse"],
    "pax": ["--sparse", "--sparse-version=0.0"],
    "posix": ["--sparse", "--sparse-version=0.1"],
}


@pytest.mark.parametrize(
    "command",
    [
        *(["tar", f"--format={name}", *more, "-cf", "-", "tree"] for name, more in TAR.items()),
        ["tar", "--format=pax", "--sparse", "--sparse-version=1.0", "-V", "label", "-cf", "-", "tree"],
        ["tar", "--format=gnu", "--sparse", "-V", "label", "-cf", "-", "tree"],
        ["bsdtar", "--format=pax", "-cf", "-", "tree"],
        ["bsdtar", "--format=gnutar", "-cf", "-", "tree"],
    ],
    ids=" ".join,
)
def test_archives_of_other_programs_are_read_completely(tree: Path, command: list[str]):
    """Version 0.1 called most of these damaged: "a header's checksum is wrong", "sparse members"."""
    if shutil.which(command[0]) is None:
        pytest.skip(f"no {command[0]} here")
    archive = subprocess.run(command, cwd=tree.parent, capture_output=True, check=True).stdout
    results = {entry.name.rstrip(b"/"): (entry, data) for entry, data in read(archive)}
    paths = {os.fsencode(path.relative_to(tree.parent)): path for path in [tree, *tree.rglob("*")]}
    assert set(results) == set(paths)
    for name, path in paths.items():
        entry, data = results[name]
        if entry.is_file:
            assert data == path.read_bytes()
    assert results[b"tree/soft"][0].link == b"s" * 150
    assert {results[b"tree/f"][0].kind, results[b"tree/hard"][0].kind} == {b"0", b"1"}


def test_three_hundred_nested_directories_are_read():
    """`docker commit` of a container with them failed in version 0.1: it couldn't read its own archive."""
    name = "/".join(["d"] * 300)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for depth in range(1, len(name) + 1, 2):
            entry = tarfile.TarInfo(name[:depth])
            entry.type = tarfile.DIRTYPE
            tar.addfile(entry)
        tar.addfile(tarfile.TarInfo(f"{name}/f"))
    assert [entry.name for entry, _ in read(buffer.getvalue())][-1] == f"{name}/f".encode()


def test_no_generated_archive_is_read_differently_by_other_readers(tmp_path: Path):
    """A cut of tests/stress/test_tar.py; version 0.1 is contradicted by some of the first seeds."""
    with other_readers(tmp_path) as others:
        results = [why for seed in range(SEEDS) if (why := contradictions(seed, others))]
    assert results == []


def test_a_refusal_is_judged_with_go_only():
    """Go refuses the byte after the NULs of this size, as pyd does. GNU tar and Python read 0."""
    archive = header(b"f", length=bytes(5) + b"\x80" + bytes(6)) + END
    with pytest.raises(InvalidInput):
        read(archive)
    reading = gnu(archive)
    assert reading is not None
    assert python(archive) == reading
    assert contradiction(archive, {"gnu": gnu, "python": python}) == ""
    assert "refused" in contradiction(archive, {"gnu": gnu, "python": python, "go": gnu})
