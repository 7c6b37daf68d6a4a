"""A file that is written on a thread of its own, so that compression runs while the next data are read."""

from __future__ import annotations

import threading
from queue import SimpleQueue
from types import TracebackType
from typing import BinaryIO, Self

MAX_WAITING_PIECES = 16
"""Pieces that are written but not yet processed."""


class ThreadedWriter:
    """Passes pieces on to a file on its own thread; a context manager at whose end all pieces are written.

    Args:
        out: The file; only the thread uses it meanwhile.
    """

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._pieces: SimpleQueue[bytes] = SimpleQueue()
        self._free = threading.Semaphore(MAX_WAITING_PIECES)
        self._failure: BaseException | None = None
        self._is_abandoned = False
        self._thread = threading.Thread(target=self._run, name="compression", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_abandoned = error is not None
        self._pieces.put(b"")
        self._thread.join()
        if error is None:
            self._raise_failure()

    def write(self, data: bytes) -> int:
        """Take a piece, and wait while too many others are waiting.

        Raises:
            OSError: The file couldn't be written; so are the other errors of its `write`.
        """
        self._raise_failure()
        if data:
            self._free.acquire()
            self._pieces.put(data)
        return len(data)

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        while piece := self._pieces.get():
            try:
                if self._failure is None and not self._is_abandoned:
                    self._out.write(piece)
            except BaseException as error:  # noqa: BLE001 - the thread that writes raises it
                self._failure = error
            finally:
                self._free.release()
