"""The streams of a command in a container: named pipes that containerd's shim opens at the other end."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from pyd_core.client.frames import MULTIPLEXED, RAW, STDERR, STDOUT
from pyd_core.linux import pipes
from pyd_core.tasks import TaskOwner


class ExecStreams:
    """The streams; output is framed as the Engine API frames it, unless the command has a terminal.

    The pipes lie in a directory that only this process's user enters.

    Args:
        stdin: Whether the command has input.
        tty: Whether it has a terminal.
    """

    def __init__(self, *, stdin: bool, tty: bool) -> None:
        self.headers: Mapping[str, str] = {"content-type": RAW if tty else MULTIPLEXED}
        self._directory = Path(tempfile.mkdtemp(prefix="pyd-exec-", dir="/run" if os.access("/run", os.W_OK) else None))
        self._names = [*(["stdin"] if stdin else []), "stdout", *([] if tty else ["stderr"])]
        self._tty = tty
        self._fds: dict[str, int] = {}
        self._output: asyncio.Queue[bytes | None] = asyncio.Queue(64)
        self._rest = b""
        self._readers = TaskOwner()
        self._open = 0
        self.close_input: asyncio.Event = asyncio.Event()
        """Set when no more input comes."""
        for name in self._names:
            os.mkfifo(self._directory / name, 0o600)
            # Both ends are held, so that the shim's opening waits for nothing and sees no end before `begin`.
            self._fds[name] = os.open(self._directory / name, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)

    def path(self, name: str) -> str:
        """Return the path of a stream; empty for one that the command hasn't."""
        return str(self._directory / name) if name in self._names else ""

    def begin(self) -> None:
        """Keep one end of each pipe, now that the shim has the others, and read the output."""
        for name, held in [*self._fds.items()]:
            flags = os.O_WRONLY if name == "stdin" else os.O_RDONLY
            self._fds[name] = os.open(self._directory / name, flags | os.O_NONBLOCK | os.O_CLOEXEC)
            os.close(held)
        shutil.rmtree(self._directory, ignore_errors=True)
        for name, stream in (("stdout", STDOUT), ("stderr", STDERR)):
            if name in self._fds:
                self._open += 1
                self._readers.start(self._read(self._fds[name], stream))

    async def _read(self, fd: int, stream: int) -> None:
        while data := await pipes.read(fd):
            await self._output.put(
                data if self._tty else bytes([stream, 0, 0, 0]) + len(data).to_bytes(4, "big") + data
            )
        self._open -= 1
        if not self._open:
            await self._output.put(None)

    async def read(self, limit: int = 65536) -> bytes:
        """Return available output, at most `limit` bytes; empty at the end."""
        if not self._rest:
            piece = await self._output.get()
            if piece is None:
                self._output.put_nowait(None)  # the end stays the end
                return b""
            self._rest = piece
        data, self._rest = self._rest[:limit], self._rest[limit:]
        return data

    async def write(self, data: bytes) -> None:
        """Send input; a command that reads no more loses it."""
        if (fd := self._fds.get("stdin")) is not None:
            with suppress(BrokenPipeError):
                await pipes.write(fd, data)

    async def close_write(self) -> None:
        """Signal the end of input."""
        if (fd := self._fds.pop("stdin", None)) is not None:
            os.close(fd)
        self.close_input.set()

    async def aclose(self) -> None:
        """Close the streams."""
        await self._readers.aclose()
        for fd in self._fds.values():
            os.close(fd)
        self._fds.clear()
        shutil.rmtree(self._directory, ignore_errors=True)
