"""The output of a step: spooled on disk, so that a client that reads slowly costs no memory."""

from __future__ import annotations

import asyncio
import codecs
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyd_core.buildkit.proto import control_pb2

READ_BYTES = 64 << 10


class StepOutput:
    """Implements `BuildProgress` for one step; only the output of its command counts.

    Args:
        directory: For the spooled output.
    """

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._file = tempfile.TemporaryFile(dir=directory, buffering=0)  # noqa: SIM115 - closed by `close`
        self._written = 0
        self._news = asyncio.Event()
        self._ended = False

    def close(self) -> None:
        """Remove what is spooled."""
        self._file.close()

    def end(self) -> None:
        """Mark the output as complete."""
        self._ended = True
        self._news.set()

    def log(self, digest: str, stream: int, data: bytes) -> None:
        """Add output."""
        del digest, stream
        if self._file.closed:
            return
        self._file.seek(self._written)
        view = memoryview(data)
        while view:
            count = self._file.write(view)
            self._written += count
            view = view[count:]
        self._news.set()

    async def texts(self) -> AsyncIterator[str]:
        """Yield the output until it ends."""
        decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        position = 0
        while True:
            self._news.clear()
            while position < self._written:
                self._file.seek(position)
                data = self._file.read(READ_BYTES)
                position += len(data)
                if text := decoder.decode(data):
                    yield text
            if self._ended:
                if text := decoder.decode(b"", final=True):
                    yield text
                return
            await self._news.wait()

    def vertex(self, vertex: control_pb2.Vertex) -> None:
        """Ignore it: the builder reports the steps itself."""

    def status(self, status: control_pb2.VertexStatus) -> None:
        """Ignore it."""

    def warning(self, warning: control_pb2.VertexWarning) -> None:
        """Ignore it."""
