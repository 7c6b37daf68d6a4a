"""The log files of a container, opened by descriptor: the current one and those that rotation put aside.

A kubelet renames `0.log` to `0.log.TIME`, compresses older ones to `0.log.TIME.gz`, and lets the runtime begin a new
file (Kubernetes, `pkg/kubelet/logs`). The runtime names the file and may lie: below the directory it is opened through
no symbolic link, and it must be a regular file.
"""

from __future__ import annotations

import gzip
import io
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from pyd_core.errors import NotFound, Refused, Unsupported
from pyd_core.linux.openat2 import reopen
from pyd_core.sanitise import safe

MAX_ROTATED_FILES = 20
MAX_LINE_BYTES = 1 << 20
BLOCK_BYTES = 1 << 16


class LogDirectory:
    """The directory of a container's log.

    Args:
        path: The current file.

    Raises:
        NotFound: There is no such directory.
        Unsupported: The path isn't absolute and plain.
    """

    def __init__(self, path: str) -> None:
        if not path.startswith("/") or ".." in path.split("/") or "\0" in path or path.endswith("/"):
            raise Unsupported(f"the runtime names no plain file for the log: {safe(path)!r}", reference="no-log-file")
        self.path, self.name = Path(path).parent, Path(path).name
        try:
            self._fd = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            raise NotFound("the log was removed", reference="no-log-file") from None
        except OSError as error:
            raise Refused(f"the log can't be read: {error.strerror}", reference="no-log-file") from None

    def close(self) -> None:
        """Close the directory."""
        os.close(self._fd)

    def rotated(self) -> list[str]:
        """Return the names of the files that rotation put aside, the oldest first."""
        prefix = f"{self.name}."
        names = os.listdir(self._fd)  # noqa: PTH208 - by descriptor
        kept = sorted(name for name in names if name.startswith(prefix) and not name.endswith(".tmp"))
        return kept[-MAX_ROTATED_FILES:]

    def open(self, name: str) -> IO[bytes]:
        """Open a file for reading, decompressed.

        Raises:
            NotFound: There is none.
            Refused: It isn't a regular file.
        """
        try:
            handle = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=self._fd)
        except FileNotFoundError:
            raise NotFound("the log was removed", reference="no-log-file") from None
        except OSError as error:
            raise Refused(f"the log can't be read: {error.strerror}", reference="no-log-file") from None
        try:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise Refused("the log can't be read: it is not a regular file", reference="no-log-file")
            fd = reopen(handle, os.O_RDONLY)
        except OSError as error:
            raise Refused(f"the log can't be read: {error.strerror}", reference="no-log-file") from None
        finally:
            os.close(handle)
        file = os.fdopen(fd, "rb", buffering=0)
        return cast("IO[bytes]", _Unzipped(file) if name.endswith(".gz") else file)

    def is_current(self, file: IO[bytes]) -> bool:
        """Return whether a file is still the one that the runtime writes."""
        try:
            now = os.stat(self.name, dir_fd=self._fd, follow_symlinks=False)
        except FileNotFoundError:
            return False
        return (now.st_dev, now.st_ino) == (os.fstat(file.fileno()).st_dev, os.fstat(file.fileno()).st_ino)


@contextmanager
def log_directory(path: str) -> Iterator[LogDirectory]:
    """Hold the directory of a log open; see `LogDirectory`."""
    directory = LogDirectory(path)
    try:
        yield directory
    finally:
        directory.close()


class _Unzipped(gzip.GzipFile):
    """A compressed file, which closes the file beneath it too.

    Args:
        file: The file beneath it.
    """

    def __init__(self, file: io.FileIO) -> None:
        super().__init__(fileobj=file)
        self._beneath = file

    def close(self) -> None:
        """Close both."""
        super().close()
        self._beneath.close()


def tail_offset(file: IO[bytes], count: int) -> tuple[int, int]:
    """Return the offset of the last `count` lines of a file, and how many lines are missing to them."""
    end = file.seek(0, io.SEEK_END)
    position, missing = end, count
    while position > 0:
        start = max(0, position - BLOCK_BYTES)
        file.seek(start)
        block = file.read(position - start)
        if position == end and block.endswith(b"\n"):
            block = block[:-1] + b" "
        breaks = block.count(b"\n")
        if breaks >= missing:
            offset = len(block)
            for _ in range(missing):
                offset = block.rindex(b"\n", 0, offset)
            return start + offset + 1, 0
        missing -= breaks
        position = start
    return 0, max(0, missing - (end > 0))
