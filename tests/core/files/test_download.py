from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pyd_core.errors import InvalidInput, ProtocolError
from pyd_core.files.download import save


async def pieces(data: bytes, size: int) -> AsyncIterator[bytes]:
    for offset in range(0, len(data), size):
        yield data[offset : offset + size]


async def test_save_overwrites_nothing_and_leaves_nothing_on_failure(tmp_path: Path):
    progress: list[tuple[int, int]] = []
    first = await save(tmp_path / "new", "a.tar.gz", pieces(b"12345", 2), lambda *how: progress.append(how), total=5)
    second = await save(tmp_path / "new", "a.tar.gz", pieces(b"67", 2), lambda *_: None)
    assert (first.path.name, first.size, second.path.name) == ("a.tar.gz", 5, "a-1.tar.gz")
    assert progress == [(2, 5), (4, 5), (5, 5)]
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
