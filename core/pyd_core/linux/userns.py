"""User namespaces and their id maps: see user_namespaces(7)."""

from __future__ import annotations

import ctypes
import struct
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pyd_core.errors import KernelError, Unsupported
from pyd_core.linux.threads import in_thread

T = TypeVar("T")

OVERFLOW = 65534
"""The id shown for users without a mapping (`/proc/sys/kernel/overflowuid`)."""

CAPABILITIES = "security.capability"
"""The attribute with the capabilities of a file; capabilities(7), linux/capability.h."""

_CAPABILITIES_3 = 0x20080522
"""`_LINUX_CAPABILITY_VERSION_3` of capset(2)."""

_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class IdRange:
    """A line of `/proc/PID/uid_map`: `count` ids from `inside` on are those from `outside` on."""

    inside: int
    outside: int
    count: int


@dataclass(frozen=True, kw_only=True)
class IdMap:
    """The map of a user namespace's users and groups to the host's."""

    users: tuple[IdRange, ...]
    groups: tuple[IdRange, ...]

    @classmethod
    def of_process(cls, pid: int) -> IdMap:
        """Read the map of a process.

        Raises:
            OSError: It is gone.
        """
        return cls.from_proc(Path(f"/proc/{pid}"))

    @classmethod
    def from_proc(cls, process: Path) -> IdMap:
        """Read the map in a directory of /proc, which may be named by a descriptor.

        Raises:
            OSError: The process is gone.
        """
        users, groups = (_ranges((process / f"{kind}_map").read_text()) for kind in ("uid", "gid"))
        return cls(users=users, groups=groups)

    @property
    def root(self) -> tuple[int, int]:
        """The host's ids of the namespace's root."""
        return self.users[0].outside, self.groups[0].outside

    @property
    def plain(self) -> bool:
        """Whether every id is the same inside and outside."""
        return {(range_.inside, range_.outside) for range_ in (*self.users, *self.groups)} == {(0, 0)}

    def outside(self, uid: int, gid: int) -> tuple[int, int] | None:
        """Translate a user and a group of the namespace into the host's; None where one has no number there."""
        user = _translate(uid, ((range_.inside, range_.outside, range_.count) for range_ in self.users))
        group = _translate(gid, ((range_.inside, range_.outside, range_.count) for range_ in self.groups))
        return None if user is None or group is None else (user, group)

    def inside(self, uid: int, gid: int) -> tuple[int, int]:
        """Translate a user and a group of the host into what the namespace sees."""
        user = _translate(uid, ((range_.outside, range_.inside, range_.count) for range_ in self.users))
        group = _translate(gid, ((range_.outside, range_.inside, range_.count) for range_ in self.groups))
        return OVERFLOW if user is None else user, OVERFLOW if group is None else group


def of_root(value: bytes, uid: int) -> bytes:
    """Restrict a file's capabilities to one root, by the host's id: revision 2 becomes `VFS_CAP_REVISION_3`."""
    return value[:3] + b"\3" + value[4:20] + struct.pack("<I", uid) if value[3:4] == b"\2" else value


def of_any_root(value: bytes) -> bytes:
    """Extend a file's capabilities to any root: revision 3 becomes `VFS_CAP_REVISION_2`."""
    return value[:3] + b"\2" + value[4:20] if value[3:4] == b"\3" else value


def _ranges(text: str) -> tuple[IdRange, ...]:
    rows = (line.split() for line in text.splitlines())
    return tuple(IdRange(int(row[0]), int(row[1]), int(row[2])) for row in rows)


def _translate(number: int, ranges: Iterator[tuple[int, int, int]]) -> int | None:
    for begin, other, count in ranges:
        if begin <= number < begin + count:
            return other + number - begin
    return None


@contextmanager
def hold_namespace(ids: IdMap, *, network: bool = False) -> Iterator[int]:
    """Give the pid of a process in a user namespace of its own, which lives as long as the block; about 3 ms.

    A program makes it: the kernel lets no process with threads into another user namespace.

    Args:
        ids: Its ids.
        network: Whether it has a network namespace too, which belongs to the user namespace.

    Raises:
        Unsupported: unshare(1) is missing, or the kernel refuses.
        KernelError: The kernel refuses these ids.
    """
    command = ["unshare", "--user", *(["--net"] if network else []), "cat"]
    try:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0
        )
    except FileNotFoundError:
        raise Unsupported("unshare is missing", hint="apt-get install util-linux") from None
    with process:
        assert process.stdin is not None  # noqa: S101 - pipes, as asked for
        assert process.stdout is not None  # noqa: S101
        assert process.stderr is not None  # noqa: S101
        with suppress(BrokenPipeError):
            process.stdin.write(b"\n")
        if process.stdout.read(1) != b"\n":  # what comes back comes from inside
            error_text = process.stderr.read().decode(errors="replace").strip()
            raise Unsupported(
                f"no user namespace can be made: {error_text}", hint="look at user.max_user_namespaces in sysctl"
            )
        for kind, ranges in (("uid", ids.users), ("gid", ids.groups)):
            lines = "".join(f"{range_.inside} {range_.outside} {range_.count}\n" for range_ in ranges)
            try:
                Path(f"/proc/{process.pid}/{kind}_map").write_text(lines)
            except OSError as error:
                raise KernelError("write", error.errno or 0, f"{kind}_map") from error
        yield process.pid


def as_root_of(ids: IdMap, work: Callable[[], T]) -> T:
    """Runs work on a thread that makes files as a user namespace's root does, with all rights this process has.

    On mounts with these ids no other user can create files, not even the host's root: EOVERFLOW.

    Raises:
        KernelError: The kernel refuses.
    """
    uid, gid = ids.root

    def enter() -> None:
        _libc.setfsgid(gid)
        _libc.setfsuid(uid)
        # The kernel took away the rights over others' files; see setfsuid(2), and capset(2) for the structures.
        header, data = struct.pack("=Ii", _CAPABILITIES_3, 0), ctypes.create_string_buffer(24)
        result = _libc.capget(header, data)
        if result == 0:
            low, high = struct.unpack("=3I3I", data.raw)[:3], struct.unpack("=3I3I", data.raw)[3:]
            capabilities = struct.pack("=3I3I", low[1], *low[1:], high[1], *high[1:])
            result = _libc.capset(header, capabilities)
        if result != 0:
            raise KernelError("capset", ctypes.get_errno())

    return in_thread(enter, work)
