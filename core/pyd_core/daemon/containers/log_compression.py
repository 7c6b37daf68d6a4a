"""Packing the older files of a log, `--log-opt compress`, and reading them back: gzip, as Docker Engine does.

All goes on between other work, a block at a time: what takes a moment keeps nobody waiting, and can be given up.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import IO, cast

from isal import igzip

from pyd_core.daemon.containers.container import EngineContainer
from pyd_core.daemon.images.streams import DECOMPRESSION_ERRORS
from pyd_core.errors import EngineError

SUFFIX = ".gz"
BLOCK = 1 << 18


class LogFile:
    """A file of a container's log that is being read; as long as it is, it isn't packed.

    Attributes:
        inode: What it is known by, also after it was renamed.
    """

    def __init__(self, container: EngineContainer, path: Path) -> None:
        self._container = container
        self._path = path
        self._stream: IO[bytes] = path.open("rb")
        self._packed = path.suffix == SUFFIX
        self.inode = os.fstat(self._stream.fileno()).st_ino
        container.open_log_inodes.append(self.inode)

    def close(self) -> None:
        """Lets go of it."""
        self._stream.close()
        self._container.open_log_inodes.remove(self.inode)

    async def contents(self) -> IO[bytes]:
        """Returns what is in it, to go back and forth in.

        Raises:
            EngineError: It is packed, and damaged.
        """
        if self._packed:
            with self._stream as packed:
                unpacking = cast("IO[bytes]", igzip.IGzipFile(fileobj=packed))  # type: ignore[no-untyped-call]
                self._stream, self._packed = tempfile.TemporaryFile(dir=self._path.parent), False  # noqa: SIM115
                while block := self._next_of(unpacking):
                    self._stream.write(block)
                    await asyncio.sleep(0)
            self._stream.seek(0)
        return self._stream

    def _next_of(self, unpacking: IO[bytes]) -> bytes:
        try:
            return unpacking.read(BLOCK)
        except DECOMPRESSION_ERRORS as error:
            raise EngineError(f"{self._path.name} is damaged: {error}", hint="remove that file") from error


async def pack_all(container: EngineContainer, files: Iterable[Path]) -> bool:
    """Packs those of a log's older files that aren't yet; on a full disk they stay as they are.

    Returns:
        Whether none is left because it is being read.
    """
    done = True
    for path in files:
        if path.suffix != SUFFIX:
            with contextlib.suppress(OSError):
                done &= await _pack(container, path)
    return done


async def _pack(container: EngineContainer, path: Path) -> bool:
    growing = path.with_name("packing.log")
    try:
        with path.open("rb") as file, os.fdopen(_private(growing), "wb") as out:
            inode = os.fstat(file.fileno()).st_ino
            if _read(container, inode):
                return False
            with cast("IO[bytes]", igzip.IGzipFile(fileobj=out, mode="wb")) as packing:  # type: ignore[no-untyped-call]
                while block := file.read(BLOCK):
                    packing.write(block)
                    await asyncio.sleep(0)
            out.flush()
            await asyncio.to_thread(os.fsync, out.fileno())  # before the only other copy goes
            if _read(container, inode):
                return False
            growing.rename(path.with_name(path.name + SUFFIX))
            path.unlink()  # noqa: ASYNC240 - two names in one directory
            return True
    finally:
        growing.unlink(missing_ok=True)


def _private(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)  # as conmon's own files


def _read(container: EngineContainer, inode: int) -> bool:
    return inode in container.open_log_inodes
