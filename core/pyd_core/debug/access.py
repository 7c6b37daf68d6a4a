"""The protocol by which a debug shell's builtins reach a target.

Builtins use an `Access` and never the kernel itself. So they work alike on a container of this machine, by `/proc`, and
on one behind an API, by a process in a helper container.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from pyd_core.model.container import Container


class CommandOutcome(msgspec.Struct, frozen=True):
    """A program's output and exit code; 128 + n for signal n."""

    code: int
    stdout: bytes
    stderr: bytes


class DirectoryEntry(msgspec.Struct, frozen=True):
    """A directory entry of the target.

    Attributes:
        name: Without the directory; may hold any character but `/` and NUL.
        mode: Type and permission bits (inode(7)).
        size: Bytes.
        uid: The owner, as the target numbers users.
        gid: The group, as the target numbers groups.
        changed: The time of the last change of content, seconds since 1970.
        link: The target of a symbolic link, else empty.
    """

    name: str
    mode: int
    size: int = 0
    uid: int = 0
    gid: int = 0
    changed: float = 0.0
    link: str = ""


class AccessProcess(Protocol):
    """A program that runs in the target's view, with pipes."""

    def write(self, data: bytes) -> None:
        """Write to the program's stdin."""
        ...

    def close_input(self) -> None:
        """Close the program's stdin."""
        ...

    def read(self, size: int = 65536) -> bytes:
        """Return the next output on stdout; empty at the end."""
        ...

    def finish(self) -> CommandOutcome:
        """Wait for the program to exit; `stdout` holds the output that `read` hasn't returned."""
        ...

    def end(self) -> None:
        """End the program and all that it started."""
        ...


class Access(Protocol):
    """A target as builtins see it. All that its methods return comes from the container and is hostile.

    Pids are those of the machine or helper container that the access runs in. `NSpid` in a process's `status` has
    the target's own last.

    Methods raise `NotFound` for what isn't there, `Refused` where rights are missing, `Unsupported` for what this way
    can't do, and `KernelError` otherwise.
    """

    @property
    def container(self) -> Container:
        """The target's inspect data; a container with empty fields for a process by its number."""
        ...

    @property
    def main_pid(self) -> int:
        """The target's main process."""
        ...

    @property
    def maps_ids(self) -> bool:
        """True where `/proc` shows ids as this machine numbers them, which `uid_map` translates to the target's.

        False where the answering process is in the target's user namespace.
        """
        ...

    def pids(self) -> Sequence[int]:
        """The target's processes: all members of its pid namespace, or of its cgroup where it has the host's."""
        ...

    def proc(self, pid: int, name: str, *, limit: int = 1 << 20) -> bytes:
        """Return the beginning of `/proc/PID/NAME`."""
        ...

    def proc_link(self, pid: int, name: str) -> str:
        """Return where the link `/proc/PID/NAME` points."""
        ...

    def proc_names(self, pid: int, name: str) -> Sequence[str]:
        """Return the names in the directory `/proc/PID/NAME`."""
        ...

    def cgroup(self, controller: str, name: str) -> bytes:
        """Return a file of the target's cgroup, for example `memory`, `memory.events`; version 2 has only one."""
        ...

    def list(self, path: str) -> Sequence[DirectoryEntry]:
        """Return the entries of a directory of the target; links are resolved inside its root."""
        ...

    def stat(self, path: str, *, follow: bool = True) -> DirectoryEntry:
        """Return the entry of a path of the target; `name` is the last part of the path."""
        ...

    def read_file(self, path: str, *, offset: int = 0, limit: int = 1 << 24) -> bytes:
        """Return a part of a regular file of the target."""
        ...

    def write_file(self, path: str, data: bytes, *, mode: int | None = None) -> None:
        """Write a file of the target atomically; an existing one keeps its owner and mode."""
        ...

    def start(self, argv: Sequence[str], *, identity: str = "root", env: Sequence[str] = ()) -> AccessProcess:
        """Start a program in the target's view, as a session does: its files, its namespaces, our tools."""
        ...

    def run(
        self, argv: Sequence[str], *, identity: str = "root", env: Sequence[str] = (), data: bytes = b""
    ) -> CommandOutcome:
        """Run a program to its end."""
        ...

    def connect(self, host: str, port: int) -> AccessProcess:
        """Return a connection to an address as the target's network reaches it: `localhost` is the target's own."""
        ...
