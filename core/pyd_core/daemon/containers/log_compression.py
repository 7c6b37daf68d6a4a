"""The compression of a log's older files, `--log-opt compress`, and their reading: gzip, as in Docker Engine.

Files are packed a block at a time between other tasks, so that packing delays no client and can be cancelled.
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
BLOCK_BYTES = 1 << 18


class LogFile:
    """A file of a container's log that is being read; it isn't packed meanwhile.

    Attributes:
        inode: Its inode number, which identifies it after a rename too.
    """

    def __init__(self, container: EngineContainer, path: Path) -> None:
        self._container = container
        self._path = path
        self._stream: IO[bytes] = path.open("rb")
        self._packed = path.suffix == SUFFIX
        self.inode = os.fstat(self._stream.fileno()).st_ino
        container.open_log_inodes.append(self.inode)

    def close(self) -> None:
        """Close the file."""
        self._stream.close()
        self._container.open_log_inodes.remove(self.inode)

    async def contents(self) -> IO[bytes]:
        """Return the contents as a seekable file.

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
            return unpacking.read(BLOCK_BYTES)
        except DECOMPRESSION_ERRORS as error:
            raise EngineError(f"{self._path.name} is damaged: {error}", hint="remove that file") from error


async def pack_all(container: EngineContainer, files: Iterable[Path]) -> bool:
    """Pack a log's older files; on a full disk they stay as they are.

    Returns:
        Whether all are packed: False where some are being read.
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
                while block := file.read(BLOCK_BYTES):
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
