"""Building the stage: a root, mounts and namespaces as a runtime would set them up, held by one sleeping process.

Everything there is belongs to the mount namespace and the descriptors of these processes, so when they end, by whatever
means, the kernel clears it away; nothing of it has a name on the host.

```
client      pyd itself; holds descriptors of the upper directory, and of the root as it was before
└─ holder   first process of the stage's pid namespace: builds it, becomes the container's user, becomes `sleep`
```

The holder is `sleep` from the toolbox, on a mount that is read-only: a session's root may trace it, and so mustn't find
capabilities, open files, or the host's Python in it.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import stat
from typing import NoReturn

import msgspec

from pyd_core.debug.confine import drop_bounding, take_credentials
from pyd_core.debug.sessions.credentials import ProcessCredentials
from pyd_core.debug.stopped.changes import paths_in
from pyd_core.debug.stopped.plan import MASKED, READ_ONLY, PlannedMount, StagedRoot
from pyd_core.debug.stopped.user import resolve_user
from pyd_core.debug.syscalls import CallFailed, close_all_but
from pyd_core.debug.toolbox import PREFIX
from pyd_core.debug.view import attach, clone_tree, new_mount, open_node, open_toolbox, set_attributes
from pyd_core.errors import KernelError
from pyd_core.linux import namespaces, openat2, overlay

WORKSHOP = "/sys"
"""Covered by the private tmpfs while the stage is built; the host's own is of no use to the builder."""

_FIXTURES = ("proc", "dev", "sys")

_AT_FDCWD, _AT_EMPTY_PATH, _AT_RECURSIVE = -100, 0x1000, 0x8000
_RDONLY, _NOSUID, _NODEV, _NOEXEC = 1, 2, 4, 8
_PRIVATE = 1 << 18
_MAX_MESSAGE_BYTES = 1 << 20


class Built(msgspec.Struct, kw_only=True):
    """The holder's report: the stage is built, or why it isn't.

    Attributes:
        notes: Things the user should know, such as a bind mount whose source is gone.
        created: Paths created for mounts; no changes of the session's.
        unknown_user: The configured user, if the container's own files don't know it.
        failed: The system call that failed, the error number, and what it was about.
    """

    notes: list[str] = []
    created: list[str] = []
    unknown_user: str = ""
    failed: tuple[str, int, str] | None = None


class Holder:
    """The stage's first process, as its parent sees it.

    Attributes:
        pid: The process.
        built: Its report.
        upper: Descriptor of the directory that takes what the session changes.
        before: Descriptor of the root as it is without those changes.
        began: When the upper directory was made, nanoseconds since the epoch by the kernel's clock for files.

    Args:
        stage: The plan of the stage.

    Raises:
        CallFailed: A system call failed; nothing is left.
        OSError: The same, in this process.
    """

    def __init__(self, stage: StagedRoot) -> None:
        self.upper = self.before = -1
        self.built = Built()
        self.began = 0
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        own = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
        try:
            namespaces.unshare(namespaces.NEW_PID)
            try:
                self.pid = os.fork()
                if self.pid == 0:
                    ours.close()
                    _hold(stage, theirs)
            finally:
                namespaces.join(own, namespaces.NEW_PID)
        finally:
            os.close(own)
            theirs.close()
        with ours:
            try:
                self._listen(ours)
            except BaseException:
                self.close()
                raise

    def _listen(self, status: socket.socket) -> None:
        message, descriptors, _, _ = socket.recv_fds(status, _MAX_MESSAGE_BYTES, 2)
        if len(descriptors) == 2:
            self.upper, self.before = descriptors
            self.began = os.fstat(self.upper).st_ctime_ns
        if message:
            self.built = msgspec.json.decode(message, type=Built)
            if self.built.failed is None:
                status.send(b"go")
                message = status.recv(_MAX_MESSAGE_BYTES)  # the end: it has become the sleeper
                self.built.failed = msgspec.json.decode(message, type=Built).failed if message else None
        elif not message:
            self.built.failed = ("clone", 0, "the holder ended")
        if self.built.failed is not None:
            raise CallFailed(*self.built.failed)

    def close(self) -> None:
        """End it and all that runs on the stage, and let go of the descriptors."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, 0)
        for descriptor in (self.upper, self.before):
            if descriptor >= 0:
                os.close(descriptor)
        self.upper = self.before = -1


def _hold(stage: StagedRoot, status: socket.socket) -> NoReturn:
    """The holder's life; never returns."""
    failed: tuple[str, int, str]
    try:
        namespaces.die_with_parent()
        if select.select([status], [], [], 0)[0]:
            os._exit(0)  # the client has ended before it could take this process along
        os.setsid()
        os.umask(0)
        close_all_but((status.fileno(),), first=0)  # root in a session can open and change whatever this one holds
        built, credentials, descriptors = _build(stage)
        socket.send_fds(status, [msgspec.json.encode(built)], descriptors)
        if status.recv(16) != b"go":
            os._exit(0)
        _become_sleeper(stage, credentials)
    except CallFailed as error:
        failed = (error.call, error.number, error.subject)
    except KernelError as error:
        failed = (error.call, error.errno, "")
    except OSError as error:
        failed = ("open", error.errno or 0, str(error.filename or ""))
    except Exception as error:  # noqa: BLE001 - the client turns it into a message
        failed = (type(error).__name__, 0, str(error))
    with contextlib.suppress(OSError):
        status.send(msgspec.json.encode(Built(failed=failed)))
    os._exit(125)


def _become_sleeper(stage: StagedRoot, credentials: ProcessCredentials) -> NoReturn:
    drop_bounding(credentials.bounding)
    take_credentials(credentials.plan())
    # Forgotten whenever the user changes, so said again.
    namespaces.die_with_parent()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # kept over execve: the kernel reaps what the first process inherits
    os.execve(f"{PREFIX}/bin/sleep", [f"pyd-holder:{stage.name}", "infinity"], {})  # noqa: S606 - its purpose


def _build(stage: StagedRoot) -> tuple[Built, ProcessCredentials, tuple[int, int]]:
    built = Built()
    kinds = namespaces.NEW_NS | namespaces.NEW_UTS | namespaces.NEW_IPC | namespaces.NEW_CGROUP
    if stage.network:
        network = os.open(stage.network, os.O_RDONLY | os.O_CLOEXEC)
        namespaces.join(network, namespaces.NEW_NET)
        os.close(network)
    else:
        kinds |= namespaces.NEW_NET
    namespaces.unshare(kinds)
    if not stage.network:
        namespaces.raise_loopback()
    if stage.hostname:
        socket.sethostname(stage.hostname)
    if stage.domain:
        namespaces.set_domain(stage.domain)
    set_attributes("/", flags=_AT_RECURSIVE, propagation=_PRIVATE)
    toolbox = open_toolbox(stage.toolbox)
    sources = [_open_source(mount, built) for mount in stage.mounts]
    root, descriptors = _mount_layers(stage)
    kernels = _mount_kernels(root, toolbox)
    for mount, tree in zip(stage.mounts, sources, strict=True):
        if tree >= 0:
            _mount_at(root, mount, tree, kernels, built)
    built.created = paths_in(descriptors[0])
    namespaces.become_root(root)
    credentials = _credentials(stage, built)
    return built, credentials, descriptors


def _open_source(mount: PlannedMount, built: Built) -> int:
    """Return a detached mount; -1, with a note, when what it is to show is gone."""
    if not mount.source:
        return new_mount("tmpfs", {"mode": "1777"}, _NOSUID | _NODEV)
    try:
        # Followed on purpose: the engine does, and the path is the engine's word, not the container's.
        source = os.open(mount.source, os.O_PATH | os.O_CLOEXEC)
    except OSError as error:
        built.notes.append(f"{mount.destination}: its source {mount.source} is not there ({error.strerror})")
        return -1
    try:
        tree = clone_tree("", directory=source)
    finally:
        os.close(source)
    add = _NODEV | (0 if mount.writable else _RDONLY)
    set_attributes("", mount=tree, flags=_AT_EMPTY_PATH | _AT_RECURSIVE, add=add, propagation=_PRIVATE)
    return tree


def _is_directory(descriptor: int) -> bool:
    return stat.S_ISDIR(os.fstat(descriptor).st_mode)


def _mount_layers(stage: StagedRoot) -> tuple[int, tuple[int, int]]:
    """Mount the root; return its descriptor, and those of its upper directory and of the root without it."""
    workshop = new_mount("tmpfs", {"mode": "0700", "size": str(stage.memory)}, _NOSUID | _NODEV)
    attach(workshop, _AT_FDCWD, WORKSHOP)
    os.fchdir(workshop)
    for name in ("upper", "work", "fixtures", "merged", "before"):
        os.mkdir(name, 0o755)
    for name in _FIXTURES:
        # A directory in the topmost layer covers whatever the image has under the name, a symlink for one.
        os.mkdir(f"fixtures/{name}", 0o755)
    top = os.stat(stage.layers[0])
    os.chown("upper", top.st_uid, top.st_gid)
    os.chmod("upper", stat.S_IMODE(top.st_mode))  # the root's own rights are the upper directory's
    lower = [f"{WORKSHOP}/fixtures", *stage.layers]
    overlay.mount(workshop, lower, "merged", writable=True)
    overlay.mount(workshop, lower, "before", writable=False)
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
    return os.open("merged", flags), (os.open("upper", flags), os.open("before", flags))


def _mount_kernels(root: int, toolbox: int) -> set[int]:
    """Set /proc, /sys and /dev up; return the device numbers of the first two."""
    harmless = _NOSUID | _NODEV | _NOEXEC
    proc, sysfs = new_mount("proc", {}, harmless), new_mount("sysfs", {}, harmless | _RDONLY)
    attach(proc, root, "proc")
    attach(sysfs, root, "sys")
    device = new_mount("tmpfs", {"mode": "0755", "size": "1m"}, _NOSUID)
    attach(device, root, "dev")
    for name, target in (("fd", ""), ("stdin", "/0"), ("stdout", "/1"), ("stderr", "/2")):
        os.symlink(f"/proc/self/fd{target}", name, dir_fd=device)
    directory = PREFIX.rsplit("/", 1)[1]
    for name in ("pts", "shm", "mqueue", directory):
        os.mkdir(name, 0o755, dir_fd=device)
    attach(new_mount("tmpfs", {"mode": "1777", "size": "64m"}, harmless), device, "shm")
    with contextlib.suppress(CallFailed):  # kernels may come without POSIX message queues
        attach(new_mount("mqueue", {}, harmless), device, "mqueue")
    attach(toolbox, device, directory)
    for path in MASKED:
        _cover(root, path)
    for path in READ_ONLY:
        with contextlib.suppress(CallFailed):  # not on this kernel
            tree = clone_tree(path.lstrip("/"), directory=root)
            set_attributes("", mount=tree, flags=_AT_EMPTY_PATH | _AT_RECURSIVE, add=_RDONLY)
            attach(tree, root, path.lstrip("/"))
    return {os.fstat(proc).st_dev, os.fstat(sysfs).st_dev}


def _cover(root: int, path: str) -> None:
    """Put nothing in place of a file or directory of the kernel's."""
    try:
        what = openat2.open_in_root(root, path, os.O_PATH)
    except KernelError:
        return  # not on this kernel
    if _is_directory(what):
        attach(new_mount("tmpfs", {"size": "4k", "mode": "0555"}, _RDONLY | _NOSUID | _NODEV), what, "")
    else:
        attach(open_node("null"), what, "")
    os.close(what)


def _mount_at(root: int, mount: PlannedMount, tree: int, kernels: set[int], built: Built) -> None:
    """Put a mount where the container has it, by the container's own symlinks, but never out of its root."""
    try:
        point = openat2.make_mountpoint(root, mount.destination, directory=_is_directory(tree))
    except (KernelError, OSError) as error:
        built.notes.append(f"{mount.destination} can't be mounted: {os.strerror(error.errno or 0)}")
        return
    try:
        if os.fstat(point).st_dev in kernels or _is_directory(point) != _is_directory(tree):
            built.notes.append(f"{mount.destination} can't be mounted: something else is there")
            return
        attach(tree, point, "")
    finally:
        os.close(point)
        os.close(tree)


def _credentials(stage: StagedRoot, built: Built) -> ProcessCredentials:
    """Return the credentials of the container's main process; root's, with a report, if its user is unknown."""
    root = os.open("/", os.O_PATH | os.O_CLOEXEC)
    try:
        user = resolve_user(
            stage.user, lambda path: openat2.read_in_root(root, path, _MAX_MESSAGE_BYTES).decode(errors="replace")
        )
    except LookupError:
        built.unknown_user = stage.user
        user = (0, 0, ())
    finally:
        os.close(root)
    uid, gid, groups = user
    with open("/proc/1/status", encoding="utf-8") as file:  # this process: it is the first of its namespace
        own = next(int(line.split()[1], 16) for line in file if line.startswith("CapBnd:"))
    bounding = stage.bounding & own
    held = bounding if uid == 0 else 0
    return ProcessCredentials(
        uid=uid,
        gid=gid,
        groups=(gid, *groups),
        bounding=bounding,
        permitted=held,
        effective=held,
        inheritable=0,
        ambient=0,
        no_new_privileges=stage.no_new_privileges,
    )
