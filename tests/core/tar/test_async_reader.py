from __future__ import annotations

import io
import tarfile
from collections.abc import AsyncIterator

import pytest

from pyd_core.errors import ProtocolError
from pyd_core.tar.async_reader import AsyncTarReader

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
    for offset in range(0, len(data), size):
        yield data[offset : offset + size]


@pytest.mark.parametrize("format", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
@pytest.mark.parametrize("size", [1, 511, 512, 10240])
async def test_entries_and_contents_are_read_from_chunks_of_any_size(format: int, size: int):
    stream = AsyncTarReader(pieces(tar(format), size))
    entries = []
    while (entry := await stream.next()) is not None:
        content = b"".join([part async for part in stream.content()]) if entry.name.endswith(b"n") else b""
        entries.append((entry.name.decode().rstrip("/"), entry.size, entry.link.decode(), content))
    assert entries == [
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
async def test_incomplete_archives_are_protocol_errors(data: bytes):
    async def read() -> None:
        stream = AsyncTarReader(pieces(data, 4096))
        while await stream.next() is not None:
            pass

    with pytest.raises(ProtocolError):
        await read()
