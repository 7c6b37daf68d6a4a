"""Watch for changes of files: inotify(7)."""

from __future__ import annotations

import asyncio
import ctypes
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from pyd_core.errors import KernelError

_IN_MODIFY = 0x2
_IN_ATTRIB = 0x4
_IN_MOVED_TO = 0x80
_IN_CREATE = 0x100
_IN_MOVE_SELF = 0x800
_IN_DELETE_SELF = 0x400

_libc = ctypes.CDLL(None, use_errno=True)


class FileWatch:
    """Watches a file or a directory's files for creation, writes, moves and removal; a context manager."""

    def __init__(self, path: Path) -> None:
        self._fd = _libc.inotify_init1(os.O_CLOEXEC | os.O_NONBLOCK)
        if self._fd < 0:
            raise KernelError("inotify_init1", ctypes.get_errno(), hint="raise fs.inotify.max_user_instances")
        mask = _IN_MODIFY | _IN_ATTRIB | _IN_MOVED_TO | _IN_CREATE | _IN_MOVE_SELF | _IN_DELETE_SELF
        if _libc.inotify_add_watch(self._fd, os.fsencode(path), mask) < 0:
            number = ctypes.get_errno()
            os.close(self._fd)
            raise KernelError("inotify_add_watch", number, str(path))
        self._event = asyncio.Event()
        asyncio.get_running_loop().add_reader(self._fd, self._readable)

    def _readable(self) -> None:
        try:
            os.read(self._fd, 4096)
        except BlockingIOError:
            return
        self._event.set()

    def wake(self) -> None:
        """Let `changed` return, for an event from elsewhere."""
        self._event.set()

    async def changed(self) -> None:
        """Return when something happened since the last call."""
        await self._event.wait()
        self._event.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        asyncio.get_running_loop().remove_reader(self._fd)
        os.close(self._fd)
