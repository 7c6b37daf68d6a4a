"""A file that is written on another thread: in order, with bounds, and its errors reach the writer."""

from __future__ import annotations

import errno
import io
import threading
from typing import BinaryIO, cast

import pytest

from pyd_core.daemon.images.threaded_writer import MAX_WAITING_PIECES, ThreadedWriter


def test_pieces_arrive_in_order_and_all_before_the_end():
    out = io.BytesIO()
    with ThreadedWriter(out) as writer:
        for number in range(1000):
            writer.write(b"%d\n" % number)
    assert out.getvalue().split() == [b"%d" % number for number in range(1000)]


class FullDisk(io.BytesIO):
    """A file that has room for three pieces."""

    def __init__(self) -> None:
        super().__init__()
        self.writes = 0

    def write(self, data: object) -> int:
        self.writes += 1
        if self.writes > 3:
            raise OSError(errno.ENOSPC, "no space left on device")
        return super().write(cast("bytes", data))


def write_pieces(out: FullDisk, count: int) -> None:
    with ThreadedWriter(out) as writer:
        for _ in range(count):
            writer.write(b"x")


def test_an_error_stops_the_writer_and_nothing_is_written_after_it():
    out = FullDisk()
    with pytest.raises(OSError, match="no space left"):
        write_pieces(out, MAX_WAITING_PIECES + 10)
    assert out.writes == 4


def test_an_error_of_the_last_piece_is_raised_at_the_end():
    with pytest.raises(OSError, match="no space left"):
        write_pieces(FullDisk(), 4)


class Gate(io.BytesIO):
    """A file whose first write waits."""

    def __init__(self) -> None:
        super().__init__()
        self.is_open = threading.Event()

    def write(self, data: object) -> int:
        assert self.is_open.wait(60)
        return super().write(cast("bytes", data))


def test_a_failure_of_the_caller_ends_the_thread_without_the_waiting_pieces():
    out = Gate()

    def fail() -> None:
        with ThreadedWriter(cast("BinaryIO", out)) as writer:
            for _ in range(MAX_WAITING_PIECES):
                writer.write(b"x")
            threading.Timer(0, out.is_open.set).start()
            raise InterruptedError

    before = threading.active_count()
    with pytest.raises(InterruptedError):
        fail()
    assert len(out.getvalue()) <= MAX_WAITING_PIECES
    assert threading.active_count() <= before + 1  # the timer's thread may not have ended
