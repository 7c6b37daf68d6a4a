from __future__ import annotations

import io
import tarfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pyd_core.errors import InvalidInput, ProtocolError
from pyd_core.files.download import save
from pyd_core.files.tarstream import TarStream

LONG = "d" * 90 + "/" + "n" * 200


def tar(format: int) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=format) as archive:
        for name, data in (("top/", None), ("top/a", b"x" * 1000), ("top/é", b""), (LONG, b"deep")):
            entry = tarfile.TarInfo(name)
            entry.type = tarfile.DIRTYPE if data is None else tarfile.REGTYPE
            entry.size, entry.mtime = len(data or b""), 1700000000.25
            archive.addfile(entry, io.BytesIO(data or b""))
        link = tarfile.TarInfo("top/link")
        link.type, link.linkname = tarfile.SYMTYPE, "t" * 150
        archive.addfile(link)
    return out.getvalue()


async def pieces(data: bytes, size: int) -> AsyncIterator[bytes]:
    for at in range(0, len(data), size):
        yield data[at : at + size]


@pytest.mark.parametrize("format", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
@pytest.mark.parametrize("size", [1, 511, 512, 10240])
async def test_entries_and_contents_are_told_whatever_the_pieces_they_come_in(format: int, size: int):
    stream = TarStream(pieces(tar(format), size))
    found = []
    while (entry := await stream.next()) is not None:
        content = b"".join([part async for part in stream.content()]) if entry.name.endswith(b"n") else b""
        found.append((entry.name.decode().rstrip("/"), entry.size, entry.link.decode(), content))
    assert found == [
        ("top", 0, "", b""),
        ("top/a", 1000, "", b""),
        ("top/é", 0, "", b""),
        (LONG, 4, "", b"deep"),
        ("top/link", 0, "t" * 150, b""),
    ]


@pytest.mark.parametrize(
    "data",
    [b"no tar at all" * 100, tar(tarfile.PAX_FORMAT)[:700], tar(tarfile.PAX_FORMAT)[:1300]],
    ids=["garbage", "cut header", "cut content"],
)
async def test_what_is_no_whole_tar_is_an_answer_the_api_does_not_allow(data: bytes):
    async def read() -> None:
        stream = TarStream(pieces(data, 4096))
        while await stream.next() is not None:
            pass

    with pytest.raises(ProtocolError):
        await read()


async def test_saving_overwrites_nothing_and_leaves_nothing_when_it_fails(tmp_path: Path):
    told: list[tuple[int, int]] = []
    first = await save(tmp_path / "new", "a.tar.gz", pieces(b"12345", 2), lambda *how: told.append(how), total=5)
    second = await save(tmp_path / "new", "a.tar.gz", pieces(b"67", 2), lambda *_: None)
    assert (first.path.name, first.size, second.path.name) == ("a.tar.gz", 5, "a-1.tar.gz")
    assert told == [(2, 5), (4, 5), (5, 5)]
    assert first.path.read_bytes() == b"12345"

    async def cut() -> AsyncIterator[bytes]:
        yield b"1"
        raise ProtocolError("cut")

    with pytest.raises(ProtocolError):
        await save(tmp_path / "new", "b", cut(), lambda *_: None)
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidInput, match="file"):
        await save(tmp_path / "file", "b", pieces(b"1", 1), lambda *_: None)
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["a-1.tar.gz", "a.tar.gz"]
