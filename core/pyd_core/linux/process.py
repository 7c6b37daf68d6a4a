"""Processes in /proc, held by a descriptor so that a later process with the same pid is never confused with them."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

_MAX_READ_BYTES = 1 << 20
"""Bytes read of one file of /proc."""


FIRST_PID_NAMESPACE = 0xEFFFFFFC
"""`PROC_PID_INIT_INO` of linux/proc_ns.h: the inode of the namespace the machine started with."""


class Status(msgspec.Struct, frozen=True):
    """A process's credentials (`/proc/PID/status`, proc(5)); ids are those of this process's user namespace.

    Capability sets are bit masks, bit N for capability N (capabilities(7)). `seccomp` is 0 none, 1 strict, 2 filter.
    """

    uid: int
    gid: int
    groups: tuple[int, ...]
    inheritable: int
    permitted: int
    effective: int
    bounding: int
    ambient: int
    no_new_privileges: bool
    seccomp: int


class ProcessEntry:
    """An open `/proc/PID`; reading from it fails once that process is gone, even if its pid is reused.

    Raises:
        ProcessLookupError: There is no such process (also from every method, later).
    """

    def __init__(self, pid: int) -> None:
        self.pid = pid
        try:
            self.descriptor = os.open(f"/proc/{pid}", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        except FileNotFoundError as error:
            raise ProcessLookupError(f"no process {pid}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        os.close(self.descriptor)

    def read(self, name: str) -> bytes:
        """Return a file's content, for example `status`."""
        try:
            file = os.open(name, os.O_RDONLY | os.O_CLOEXEC, dir_fd=self.descriptor)
            try:
                return b"".join(iter(lambda: os.read(file, _MAX_READ_BYTES), b""))
            finally:
                os.close(file)
        except FileNotFoundError as error:
            raise ProcessLookupError(f"process {self.pid} is gone") from error

    @property
    def start(self) -> int:
        """The start time in clock ticks since boot, which with the pid identifies it for ever."""
        return int(self.read("stat").rpartition(b")")[2].split()[19])

    def status(self) -> Status:
        """Return its credentials."""
        return parse_status(self.read("status").decode(errors="replace"))


def parse_status(text: str) -> Status:
    """Read the text of `/proc/PID/status`."""
    fields = {name: value.split() for name, _, value in (line.partition(":") for line in text.splitlines())}

    def mask(name: str) -> int:
        return int(fields.get(name, ["0"])[0], 16)

    return Status(
        uid=int(fields["Uid"][1]),
        gid=int(fields["Gid"][1]),
        groups=tuple(map(int, fields.get("Groups", []))),
        inheritable=mask("CapInh"),
        permitted=mask("CapPrm"),
        effective=mask("CapEff"),
        bounding=mask("CapBnd"),
        ambient=mask("CapAmb"),
        no_new_privileges=fields.get("NoNewPrivs", ["0"])[0] == "1",
        seccomp=int(fields.get("Seccomp", ["0"])[0]),
    )


def has_terminal() -> bool:
    """Return whether this process's session has a controlling terminal; credentials(7)."""
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY | os.O_CLOEXEC))
    except OSError:
        return False
    return True


def counts_as_host() -> bool:
    """Return whether pids here are the host's, rather than those of another pid namespace."""
    try:
        return Path("/proc/self/ns/pid").stat().st_ino == FIRST_PID_NAMESPACE
    except OSError:
        return True


def is_alive(pid: int, start: int) -> bool:
    """Return whether the process with this pid and start time still exists."""
    try:
        with ProcessEntry(pid) as entry:
            return entry.start == start
    except (ProcessLookupError, IndexError, ValueError):
        return False
