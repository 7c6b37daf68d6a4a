"""Reading the kernel log from `/dev/kmsg`.

One read gives one record, `priority,sequence,microseconds,flags;text` with escaped continuation lines
(Documentation/ABI/testing/dev-kmsg). The buffer is a ring whose old records are overwritten, so a log knows how far
back it reaches.
"""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path

import msgspec

from pyd_core.errors import KernelError, Refused

KMSG = Path("/dev/kmsg")
MAX_RECORD_BYTES = 8192
"""Bytes; the kernel refuses to hand a record to a smaller buffer (`CONSOLE_EXT_LOG_MAX`)."""


class KernelMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A line that the kernel, or a program through /dev/kmsg, logged."""

    priority: int
    """Syslog facility times eight plus level; the kernel's own lines are below 8."""
    sequence: int
    time_ns: int
    """Since the epoch, as good as the system clock has been since boot."""
    text: str

    @property
    def from_kernel(self) -> bool:
        """Whether the kernel wrote it; messages of programs never have the kernel's facility."""
        return self.priority < 8


class KernelLog(msgspec.Struct, frozen=True, kw_only=True):
    """The records in the kernel's ring buffer when it was read."""

    records: tuple[KernelMessage, ...] = ()
    whole: bool = True
    """Whether it still has the first record since boot."""

    @property
    def oldest_ns(self) -> int | None:
        """The time of its first record; None if it is empty."""
        return self.records[0].time_ns if self.records else None

    def covers(self, time_ns: int) -> bool:
        """Return whether an event at that time would be in it."""
        return self.whole or (self.oldest_ns is not None and self.oldest_ns <= time_ns)


def boot_offset_ns() -> int:
    """Return the offset of the kernel log's clock (monotonic) to time since the epoch, in nanoseconds."""
    return time.time_ns() - time.monotonic_ns()


def parse_record(line: bytes, offset_ns: int = 0) -> KernelMessage | None:
    """Read one record; None when it isn't one.

    Args:
        line: As `/dev/kmsg` gives it.
        offset_ns: See `boot_offset_ns`.
    """
    head, semicolon, body = line.partition(b";")
    fields = head.split(b",")
    if not semicolon or len(fields) < 3:
        return None
    try:
        priority, sequence, micros = (int(field) for field in fields[:3])
    except ValueError:
        return None
    text = body.split(b"\n", 1)[0].decode("utf-8", errors="replace")
    return KernelMessage(priority=priority, sequence=sequence, time_ns=micros * 1000 + offset_ns, text=text)


class KernelLogReader:
    """Reads the ring, and later what came since, without waiting for more.

    Args:
        path: `/dev/kmsg`, or a file of such records, one a line.

    Raises:
        Refused: No right to read it (root, CAP_SYSLOG, or `kernel.dmesg_restrict=0`).
        KernelError: There is none, as in a container.
    """

    def __init__(self, path: Path = KMSG) -> None:
        try:
            self._descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except PermissionError as error:
            raise Refused(
                f"no right to read {path}", hint="run as root, or set kernel.dmesg_restrict=0", reference="kmsg-refused"
            ) from error
        except OSError as error:
            raise KernelError("open", error.errno or errno.EIO, str(path)) from error

    def close(self) -> None:
        """Give the descriptor back."""
        os.close(self._descriptor)

    def read(self) -> tuple[KernelMessage, ...]:
        """Return what it hasn't returned before, oldest first."""
        offset = boot_offset_ns()
        lines = _lines(self._descriptor)
        return tuple(record for line in lines if (record := parse_record(line, offset)) is not None)


def read_kernel_log(path: Path = KMSG) -> KernelLog:
    """Read every record in the ring buffer.

    Raises:
        Refused: The user may not read the kernel log.
        KernelError: The kernel log can't be opened or read; containers often have none.
    """
    reader = KernelLogReader(path)
    try:
        return kernel_log(reader.read())
    finally:
        reader.close()


def kernel_log(records: tuple[KernelMessage, ...]) -> KernelLog:
    """Make a log of the ring's records."""
    return KernelLog(records=records, whole=not records or records[0].sequence == 0)


def _lines(descriptor: int) -> list[bytes]:
    lines: list[bytes] = []
    while True:
        try:
            chunk = os.read(descriptor, MAX_RECORD_BYTES)
        except BlockingIOError:
            return lines
        except OSError as error:
            if error.errno == errno.EPIPE:  # overwritten meanwhile: the next read continues with the oldest record
                continue
            if error.errno in {errno.EPERM, errno.EACCES}:
                raise Refused(
                    "no right to read the kernel log", hint="run as root, or set kernel.dmesg_restrict=0"
                ) from error
            raise KernelError("read", error.errno or errno.EIO, "/dev/kmsg") from error
        if not chunk:
            return lines
        # The device hands out single records; a plain file of them comes in blocks.
        lines += chunk.splitlines() if chunk.count(b"\n") > 1 else [chunk]
