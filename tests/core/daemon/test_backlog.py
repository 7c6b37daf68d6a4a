"""Output that waits for a client: in order, bounded, and on disk once it is much."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from pyd_core.daemon import backlog as backlog_module
from pyd_core.daemon.backlog import MAX_MEMORY_BYTES, Backlog
from pyd_core.tasks import TaskOwner

if TYPE_CHECKING:
    import pytest


def spooled() -> list[str]:
    """The unnamed files this process has open."""
    files = (link.resolve(strict=False) for link in Path("/proc/self/fd").iterdir())
    return [str(file) for file in files if str(file).endswith("(deleted)")]


def names(directory: Path) -> list[str]:
    return [path.name for path in directory.iterdir()]


async def test_pieces_come_out_in_order_from_memory_and_from_the_file(tmp_path: Path):
    backlog = Backlog(1 << 40, tmp_path)
    before = spooled()
    pieces = [bytes([number % 256]) * 60_000 for number in range(100)]
    for piece in pieces:
        backlog.put(piece)
    assert len(backlog) == 6_000_000
    assert len(spooled()) == len(before) + 1
    backlog.end()
    received = b""
    while data := await backlog.take():
        received += data
    assert received == b"".join(pieces)
    assert spooled() == before
    assert names(tmp_path) == []


async def test_one_that_has_been_emptied_is_filled_in_memory_again(tmp_path: Path):
    backlog = Backlog(1 << 40, tmp_path)
    before = spooled()
    backlog.put(b"x" * (MAX_MEMORY_BYTES + 1))
    while len(backlog):
        await backlog.take()
    backlog.put(b"again")
    assert await backlog.take() == b"again"
    assert spooled() == before


async def test_a_reader_that_never_catches_up_leaves_no_more_on_the_disk_than_it_is_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(backlog_module, "SEGMENT_BYTES", 1 << 20)
    backlog = Backlog(1 << 40, tmp_path)
    before = spooled()
    backlog.put(b"x" * (2 * MAX_MEMORY_BYTES))
    written, read = 2 * MAX_MEMORY_BYTES, 0
    for number in range(200):
        piece = bytes([number]) * (1 << 18)
        backlog.put(piece)
        written += len(piece)
        read += len(await backlog.take())
        assert len(backlog) == written - read
        assert len(spooled()) - len(before) <= len(backlog) // (1 << 20) + 2
    assert len(backlog) > 0
    backlog.close()
    assert spooled() == before


async def test_a_writer_waits_for_room_until_it_is_released():
    backlog = Backlog(10)
    backlog.put(b"0123456789")
    async with TaskOwner() as owner:
        waiting = owner.start(backlog.room())
        await asyncio.sleep(0)
        assert not waiting.done()
        await backlog.take()
        await waiting
        backlog.put(b"0123456789")
        waiting = owner.start(backlog.room())
        await asyncio.sleep(0)
        assert not waiting.done()
        backlog.release()
        await waiting
    assert not backlog.full


async def test_a_closed_one_gives_back_its_file_and_wakes_its_reader(tmp_path: Path):
    backlog = Backlog(1 << 40, tmp_path)
    before = spooled()
    backlog.put(b"x" * (MAX_MEMORY_BYTES + 1))
    backlog.close()
    assert spooled() == before
    assert await backlog.take() == b""
