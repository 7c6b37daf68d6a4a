"""A target on this machine as builtins see it, for root: the host's own /proc, and paths resolved inside its root."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec

from pyd_core.debug.access import CommandOutcome, DirectoryEntry
from pyd_core.debug.environment import tool_environment
from pyd_core.debug.local_files import scan, write_atomic
from pyd_core.debug.local_process import LocalProcess, SocketProcess
from pyd_core.debug.options import DebugOptions
from pyd_core.debug.plan import make_plan
from pyd_core.debug.sessions.credentials import inside, outside
from pyd_core.debug.target import LocalTarget
from pyd_core.errors import Conflict, InvalidInput, KernelError, NotFound, PydError, Refused
from pyd_core.linux.cgroup_names import group_named
from pyd_core.linux.cgroup_stats import UNIFIED, read_groups, read_mounts
from pyd_core.linux.openat2 import open_file, open_in_root
from pyd_core.linux.pidns import namespace_members
from pyd_core.model.container import Container
from pyd_core.sanitise import safe

if TYPE_CHECKING:
    from collections.abc import Iterator


class LocalAccess:
    """The `Access` to a target whose processes are this machine's.

    Args:
        target: The target; its main process is held open, so no later one is taken for it.
        toolbox: The toolbox's directory.
        options: Of the session that this belongs to; programs get the same rights to write.
    """

    def __init__(self, target: LocalTarget, toolbox: str, options: DebugOptions) -> None:
        self._target = target
        self._toolbox = toolbox
        self._options = options

    @property
    def container(self) -> Container:
        """See `Access`."""
        return self._target.container

    @property
    def main_pid(self) -> int:
        """See `Access`."""
        return self._target.process.pid

    @property
    def maps_ids(self) -> bool:
        """See `Access`."""
        return True

    def pids(self) -> Sequence[int]:
        """See `Access`; the debug sessions' own processes are no part of the target."""
        self._still_there()
        return namespace_members(self.main_pid)

    def proc(self, pid: int, name: str, *, limit: int = 1 << 20) -> bytes:
        """See `Access`."""
        with _mapped(f"process {pid}"):
            file = os.open(f"/proc/{int(pid)}/{name}", os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY)
            try:
                return _read(file, limit)
            finally:
                os.close(file)

    def proc_link(self, pid: int, name: str) -> str:
        """See `Access`."""
        with _mapped(f"process {pid}"):
            return os.readlink(f"/proc/{int(pid)}/{name}")

    def proc_names(self, pid: int, name: str) -> Sequence[str]:
        """See `Access`."""
        with _mapped(f"process {pid}"):
            return os.listdir(f"/proc/{int(pid)}/{name}")

    def cgroup(self, controller: str, name: str) -> bytes:
        """See `Access`."""
        groups = read_groups(self.main_pid)
        if groups is None:
            raise self._ended()
        mounts = read_mounts()
        for kind in (controller, UNIFIED):
            mount, group = mounts.get(kind), groups.get(kind)
            if mount is None or group is None:
                continue
            # What runs inside may have made groups below its own and gone into one.
            own = group_named(group, self.container.id) if self.container.id else None
            with _mapped(f"{name} of the cgroup"):
                file = os.open(f"{mount.directory(own or group)}/{name}", os.O_RDONLY | os.O_CLOEXEC)
                try:
                    return _read(file, 1 << 20)
                finally:
                    os.close(file)
        raise NotFound(f"no cgroup controller {controller} here", reference="no-controller")

    def list(self, path: str) -> Sequence[DirectoryEntry]:
        """See `Access`."""
        with self._root() as root, _mapped(path):
            directory = open_in_root(root, path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOCTTY)
            try:
                maps = self._maps()
                return [_entry(name, status, link, maps) for name, status, link in scan(directory)]
            finally:
                os.close(directory)

    def stat(self, path: str, *, follow: bool = True) -> DirectoryEntry:
        """See `Access`."""
        with self._root() as root, _mapped(path):
            descriptor = open_in_root(root, path, os.O_PATH | (0 if follow else os.O_NOFOLLOW))
            try:
                facts = os.fstat(descriptor)
                link = os.readlink("", dir_fd=descriptor) if stat.S_ISLNK(facts.st_mode) else ""
            finally:
                os.close(descriptor)
        return _entry(path.rstrip("/").rpartition("/")[2] or "/", facts, link, self._maps())

    def read_file(self, path: str, *, offset: int = 0, limit: int = 1 << 24) -> bytes:
        """See `Access`."""
        with self._root() as root, _mapped(path):
            file = open_file(root, path)
            try:
                os.lseek(file, offset, os.SEEK_SET)
                return _read(file, limit)
            finally:
                os.close(file)

    def write_file(self, path: str, data: bytes, *, mode: int | None = None) -> None:
        """See `Access`; what is mounted on a file can't be replaced, and is written in place."""
        uids, gids = self._maps()
        owner = outside(0, uids), outside(0, gids)
        with self._root() as root, _mapped(path):
            write_atomic(root, path, data, mode=mode, owner=owner)

    def start(self, argv: Sequence[str], *, identity: str = "root", env: Sequence[str] = ()) -> LocalProcess:
        """See `Access`."""
        options = msgspec.structs.replace(self._options, command=tuple(argv), line=None, identity=identity)
        try:
            plan = make_plan(self._target, options, self._toolbox, terminal=False)
        except ProcessLookupError as error:
            raise self._ended() from error
        own = plan["env"] if identity == "target" else tool_environment(plan["env"])
        plan["env"] = own | {name: value for name, _, value in (pair.partition("=") for pair in env)}
        return LocalProcess(plan, self._target.name)

    def run(
        self, argv: Sequence[str], *, identity: str = "root", env: Sequence[str] = (), data: bytes = b""
    ) -> CommandOutcome:
        """See `Access`."""
        process = self.start(argv, identity=identity, env=env)
        try:
            process.write(data)
            process.close_input()
            return process.finish()
        except BaseException:
            process.end()
            raise

    def connect(self, host: str, port: int) -> SocketProcess:
        """See `Access`; names are looked up as the target would."""
        from pyd_core.debug.inspectors.dns import addresses  # noqa: PLC0415 - few builtins connect

        self._still_there()
        return SocketProcess.to(self._target.process.descriptor, addresses(self, host), port)

    @contextmanager
    def _root(self) -> Iterator[int]:
        try:
            root = os.open("root", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=self._target.process.descriptor)
        except OSError as error:
            raise self._ended() from error
        try:
            yield root
        finally:
            os.close(root)

    def _maps(self) -> tuple[str, str]:
        """The target's `uid_map` and `gid_map`."""
        try:
            uids, gids = (self._target.process.read(f"{kind}_map").decode() for kind in ("uid", "gid"))
        except OSError as error:
            raise self._ended() from error
        return uids, gids

    def _still_there(self) -> None:
        self._maps()

    def _ended(self) -> Conflict:
        name = self._target.name
        return Conflict(f"{name} has ended", hint=f"see how: pyd triage {name}", reference="not-running")


def _entry(name: str, facts: os.stat_result, link: str, maps: tuple[str, str]) -> DirectoryEntry:
    uid, gid = inside(facts.st_uid, maps[0]), inside(facts.st_gid, maps[1])
    return DirectoryEntry(
        name=name, mode=facts.st_mode, size=facts.st_size, uid=uid, gid=gid, changed=facts.st_mtime, link=link
    )


def _read(file: int, limit: int) -> bytes:
    parts: list[bytes] = []
    while limit > 0 and (part := os.read(file, min(limit, 1 << 20))):
        parts.append(part)
        limit -= len(part)
    return b"".join(parts)


@contextmanager
def _mapped(subject: str) -> Iterator[None]:
    """Turn what the kernel says of a path or a process into an error with a next step."""
    try:
        yield
    except (KernelError, OSError) as error:
        number = error.errno or 0
        raise explain_errno(number, safe(subject)) from error


_NOT_THERE = {
    errno.ENOENT: ("no such thing in the container", "not-found"),
    errno.ESRCH: ("no such thing in the container", "not-found"),
    errno.ENOTDIR: ("not a directory", "not-a-directory"),
    errno.ELOOP: ("its symbolic links lead nowhere", "link-loop"),
}
_NOT_ALLOWED = {
    errno.EROFS: ("on a read-only file system", "read-only-file-system"),
    errno.EACCES: ("not permitted", "refused"),
    errno.EPERM: ("not permitted", "refused"),
}
_NOT_FIT = {
    errno.EISDIR: ("a directory", "is-a-directory"),
    errno.EINVAL: ("no regular file", "not-a-file"),
}


def explain_errno(number: int, subject: str) -> PydError:
    """Return the error for an error number about a path or a process, safe to show."""
    kinds: tuple[tuple[type[NotFound | Refused | InvalidInput], dict[int, tuple[str, str]]], ...] = (
        (NotFound, _NOT_THERE),
        (Refused, _NOT_ALLOWED),
        (InvalidInput, _NOT_FIT),
    )
    for kind, known in kinds:
        if number in known:
            words, reference = known[number]
            return kind(f"{subject}: {words}", reference=reference)
    return KernelError("open", number, subject)
