"""Joining a target: one file that needs nothing but the standard library.

`pyd debug` forks and calls `serve` here; a helper container runs the same file alone, as `python3 -I -S join.py FD`.
Either way the plan comes as JSON, in one message on a seqpacket socket. Three processes come of it:

```
client       pyd itself, outside everything; owns the user's terminal
└─ supervisor    outside the target; makes and removes the session's cgroups, outlives a killed client
   └─ keeper     inside the target's namespaces; reaps what the session orphans, so that the target never has to
      └─ command     the shell, with its credentials, in its own session
```

The plan is a dictionary as `pyd_core.debug.plan.make_plan` makes it. Messages go back over the
same socket, as fields with NUL between them: `error CALL ERRNO SUBJECT`, `terminal` (with the pty's master as a passed
descriptor; where the plan has a `channel`, also the ends of two pipes to the command, which has their other ends under
the two numbers that the plan gives: what it reads from, and what it writes to), `untaken SUBJECT ERRNO` (what confines
the target doesn't confine the command), `exit WAITSTATUS`, `ended` (the target is gone).

The kernel's interfaces: open_tree(2), move_mount(2), fsopen(2), mount_setattr(2), setns(2), namespaces(7),
capabilities(7), ptrace(2), seccomp(2).
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import os
import select
import signal
import socket
import stat
import struct
import sys
import termios
import time
import warnings  # noqa: F401 - os.execvpe imports it, and by then the library is out of sight

TYPE_CHECKING = False  # as type checkers know it; nothing here takes what `typing` takes to load
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, NoReturn

    Plan = dict[str, Any]

_libc = ctypes.CDLL(None, use_errno=True)

# System calls newer than the C libraries met; numbers are the same on x86_64 and aarch64 (all came after 5.1).
_OPEN_TREE, _MOVE_MOUNT, _FSOPEN, _FSCONFIG, _FSMOUNT, _CLOSE_RANGE, _MOUNT_SETATTR = 428, 429, 430, 431, 432, 436, 442
_OPENAT2, _RESOLVE_NO_XDEV = 437, 0x01

_AT_FDCWD = -100
_AT_EMPTY_PATH, _AT_RECURSIVE, _AT_SYMLINK_NOFOLLOW = 0x1000, 0x8000, 0x100
_OPEN_TREE_CLONE, _OPEN_TREE_CLOEXEC = 1, os.O_CLOEXEC
_MOVE_MOUNT_F_EMPTY_PATH, _MOVE_MOUNT_T_EMPTY_PATH = 0x4, 0x40
_FSCONFIG_SET_STRING, _FSCONFIG_CMD_CREATE = 1, 6
_MOUNT_ATTR_RDONLY, _MOUNT_ATTR_NOSUID, _MOUNT_ATTR_NODEV = 0x1, 0x2, 0x4
_READ_ONLY = _MOUNT_ATTR_RDONLY | _MOUNT_ATTR_NOSUID | _MOUNT_ATTR_NODEV
_MS_PRIVATE = 1 << 18
_CLONE_NEWNS = 0x00020000
_CLOSE_RANGE_CLOEXEC = 4
_PROC_SUPER_MAGIC = 0x9FA0
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_KEEPCAPS, _PR_SET_NAME, _PR_CAPBSET_DROP = 1, 4, 8, 15, 24
_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 22, 2
_PTRACE_SEIZE, _PTRACE_INTERRUPT, _PTRACE_SECCOMP_GET_FILTER = 0x4206, 0x4207, 0x420C
_WALL = 0x40000000
_INSTRUCTION = 8
"""Bytes of a filter's instruction (`struct sock_filter`)."""
_PATIENCE = 5.0
"""Seconds the target may take to stop, so that its filters can be read."""
_PR_SET_CHILD_SUBREAPER, _PR_SET_NO_NEW_PRIVS, _PR_CAP_AMBIENT = 36, 38, 47
_PR_CAP_AMBIENT_RAISE, _PR_CAP_AMBIENT_CLEAR_ALL = 2, 4
_CAP_KILL, _CAP_SYS_ADMIN = 1 << 5, 1 << 21
_LAST_CAPABILITY = 63
_TIOCSPTLCK, _TIOCGPTPEER = 0x40045431, 0x5441

_CLIENT_GONE = signal.SIGRTMIN
_FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)
_MINDED = {signal.SIGCHLD, _CLIENT_GONE, *_FORWARDED}

_NODES = ("null", "zero", "full", "random", "urandom", "tty")
_LARGEST_PLAN = 4 << 20
_LAST_DESCRIPTOR = 0xFFFFFFFF
_MOST_ENTRIES = 4096
"""Entries of the target's /dev that are carried over: a hostile one could hold millions."""


class CallFailed(Exception):
    """A system call failed: its name, the error number, and what it was about."""

    def __init__(self, call: str, number: int, subject: str = "") -> None:
        super().__init__(f"{call} {subject}: {os.strerror(number)}")
        self.call, self.number, self.subject = call, number, subject


def _checked(call: str, result: int, subject: str = "") -> int:
    if result < 0:
        raise CallFailed(call, ctypes.get_errno(), subject)
    return result


def _syscall(call: str, number: int, *arguments: int | bytes | None, subject: str = "") -> int:
    words = [ctypes.c_long(word) if isinstance(word, int) else ctypes.c_char_p(word) for word in arguments]
    return _checked(call, _libc.syscall(ctypes.c_long(number), *words), subject)


# --- mounts -----------------------------------------------------------------------------------------------------------


def clone_tree(path: str, *, directory: int = _AT_FDCWD) -> int:
    """Returns a detached copy of the mounts at a path, or at a descriptor; a symlink there is not followed."""
    flags = _OPEN_TREE_CLONE | _OPEN_TREE_CLOEXEC | _AT_RECURSIVE | _AT_SYMLINK_NOFOLLOW | _AT_EMPTY_PATH
    return _syscall("open_tree", _OPEN_TREE, directory, os.fsencode(path), flags, subject=path)


def new_mount(kind: str, options: dict[str, str], attributes: int = _MOUNT_ATTR_NOSUID) -> int:
    """Returns a detached mount of a fresh file system."""
    context = _syscall("fsopen", _FSOPEN, kind.encode(), os.O_CLOEXEC & 1, subject=kind)
    try:
        for key, value in options.items():
            _syscall("fsconfig", _FSCONFIG, context, _FSCONFIG_SET_STRING, key.encode(), value.encode(), 0, subject=key)
        _syscall("fsconfig", _FSCONFIG, context, _FSCONFIG_CMD_CREATE, None, None, 0, subject=kind)
        mount = _syscall("fsmount", _FSMOUNT, context, 1, attributes, subject=kind)
    finally:
        os.close(context)
    return mount


def attach(mount: int, directory: int, name: str) -> None:
    """Puts a detached mount on `name` in a directory; an empty name is the directory itself."""
    flags = _MOVE_MOUNT_F_EMPTY_PATH | (0 if name else _MOVE_MOUNT_T_EMPTY_PATH)
    _syscall("move_mount", _MOVE_MOUNT, mount, b"", directory, os.fsencode(name), flags, subject=name)


def set_attributes(
    path: str, *, mount: int = _AT_FDCWD, flags: int = 0, add: int = 0, clear: int = 0, propagation: int = 0
) -> None:
    """Changes the flags of a mount, by path or by the descriptor of a detached one; of no other mount of its files."""
    attributes = struct.pack("QQQQ", add, clear, propagation, 0)
    words = (mount, path.encode(), flags, attributes, len(attributes))
    _syscall("mount_setattr", _MOUNT_SETATTR, *words, subject=path)


def compose(directory: str, extra: dict[str, int], *, hide: frozenset[str] = frozenset()) -> int:
    """Covers a directory with a small tmpfs that shows all it held, and more.

    Args:
        directory: What to cover.
        extra: Detached mounts of directories by their new name; these hide what the directory has under the same name.
        hide: More names to leave out.

    Returns:
        A descriptor of the tmpfs.
    """
    kept: list[tuple[str, int, int]] = []
    links: list[tuple[str, str]] = []
    with os.scandir(directory) as entries:
        for entry in entries:
            if entry.name in extra or entry.name in hide or len(kept) + len(links) >= _MOST_ENTRIES:
                continue
            try:
                mode = entry.stat(follow_symlinks=False).st_mode
                if stat.S_ISLNK(mode):
                    links.append((entry.name, os.readlink(entry.path)))
                else:
                    kept.append((entry.name, mode, clone_tree(entry.path)))
            except (OSError, CallFailed):
                continue  # gone since it was listed
    own = os.stat(directory)  # its root's owner, where the target has a user namespace
    cover = new_mount("tmpfs", {"mode": "0755", "size": "1m", "uid": str(own.st_uid), "gid": str(own.st_gid)})
    attach(cover, _AT_FDCWD, directory)
    for name, target in links:
        os.symlink(target, name, dir_fd=cover)
    for name, mode, tree in kept:
        _attach_over_stub(cover, name, tree, is_directory=stat.S_ISDIR(mode))
        os.close(tree)
    for name, tree in extra.items():
        _attach_over_stub(cover, name, tree, is_directory=True)
    return cover


def _attach_over_stub(cover: int, name: str, tree: int, *, is_directory: bool) -> None:
    if is_directory:
        os.mkdir(name, 0o755, dir_fd=cover)
    else:
        os.close(os.open(name, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o644, dir_fd=cover))
    attach(tree, cover, name)


def _is_directory(path: str) -> bool:
    try:
        return stat.S_ISDIR(os.lstat(path).st_mode)
    except OSError:
        return False


def build_view(plan: Plan, toolbox: int, nodes: dict[str, int]) -> int:
    """Shows the toolbox in this process's own mount namespace, beside all the target has.

    `/` stays the target's own root, so that it is true, alive, and as writable as the target's. The toolbox lies under
    `/dev`, the one directory on which every runtime puts a file system, so that no name has to be made in the target.

    Returns:
        A descriptor of a devpts of the session's own: on the target's, the target could read the keys typed.
    """
    if plan["writable"]:
        set_attributes("/", clear=_MOUNT_ATTR_RDONLY)
    terminals = new_mount("devpts", {"mode": "0620", "ptmxmode": "0666"})
    inside = os.dup(terminals)
    missing = {path: kind for path, kind in (("dev", "tmpfs"), ("proc", "proc")) if not _is_directory(f"/{path}")}
    if missing:
        os.fchdir(compose("/", {path: new_mount(kind, {}) for path, kind in missing.items()}))
        os.chroot(".")
    cover = compose("/dev", {plan["prefix"].rsplit("/", 1)[1]: toolbox, "pts": terminals}, hide=frozenset({"ptmx"}))
    os.symlink("pts/ptmx", "ptmx", dir_fd=cover)
    for name, node in nodes.items():
        with contextlib.suppress(FileExistsError):
            _attach_over_stub(cover, name, node, is_directory=False)
    if not _proc_is_ours():
        attach(new_mount("proc", {}), _AT_FDCWD, "/proc")
    if plan.get("tracing"):
        with contextlib.suppress(CallFailed):  # no such file system, or nowhere to put it: tools say what they miss
            attach(new_mount("tracefs", {}, _READ_ONLY), _AT_FDCWD, "/sys/kernel/tracing")
    return inside


def _proc_is_ours() -> bool:
    """Whether /proc shows the processes of this process's own pid namespace; the target may have put anything there."""
    answer = ctypes.create_string_buffer(256)
    if _libc.statfs(b"/proc", answer) != 0 or struct.unpack_from("l", answer)[0] != _PROC_SUPER_MAGIC:
        return False
    try:
        return os.readlink("/proc/self") == str(os.getpid())
    except OSError:
        return False


# --- credentials ------------------------------------------------------------------------------------------------------


def _prctl(option: int, value: int, second: int = 0) -> int:
    words = [ctypes.c_ulong(word) for word in (value, second, 0, 0)]
    return _checked("prctl", _libc.prctl(option, *words), str(option))


def _set_capabilities(effective: int, permitted: int, inheritable: int) -> None:
    header = struct.pack("Ii", 0x20080522, 0)  # _LINUX_CAPABILITY_VERSION_3, this thread
    low = [word & 0xFFFFFFFF for word in (effective, permitted, inheritable)]
    high = [word >> 32 for word in (effective, permitted, inheritable)]
    _checked("capset", _libc.capset(header, struct.pack("6I", *low, *high)))


def take_credentials(wanted: dict[str, Any], *, beyond: int = 0) -> None:
    """Becomes a user with just these capabilities, and those `beyond`; nothing given up here comes back."""
    for capability in range(_LAST_CAPABILITY + 1):
        if not wanted["bounding"] >> capability & 1 and _libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0) != 0:
            break  # beyond the last one this kernel knows
    os.setgroups(wanted["groups"])
    os.setresgid(wanted["gid"], wanted["gid"], wanted["gid"])
    _prctl(_PR_SET_KEEPCAPS, 1)
    os.setresuid(wanted["uid"], wanted["uid"], wanted["uid"])
    _set_capabilities(wanted["effective"] | beyond, wanted["permitted"] | beyond, wanted["inheritable"])
    _prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL)
    for capability in range(_LAST_CAPABILITY + 1):
        if wanted["ambient"] >> capability & 1:
            _prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, capability)
    if wanted["no_new_privileges"]:
        _prctl(_PR_SET_NO_NEW_PRIVS, 1)


# --- confinement ------------------------------------------------------------------------------------------------------


def read_filters(process: int, pid: int) -> list[bytes]:
    """Returns the seccomp filters of a process as the kernel has them, in the order in which they were installed.

    The process is stopped for the moment of the reading, as by any tracer. A child of this one traces it: with the
    child's end it goes on, whatever happened.

    Raises:
        CallFailed: They can't be read: by whoever has a filter or lacks CAP_SYS_ADMIN (EACCES), while another process
            traces it (EPERM), of one that is frozen (EBUSY), or on a kernel built without (EIO).
    """
    if not _field(process, "status", "Seccomp:").startswith("2"):
        return []
    import json  # noqa: PLC0415 - few targets are asked for theirs

    ours, theirs = os.pipe2(os.O_CLOEXEC)
    child = os.fork()
    if child == 0:
        answer: list[Any] = [errno.EIO, []]
        try:
            _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            _stop(process, pid)
            answer = [0, [program.hex() for program in _copy_filters(pid)]]
        except CallFailed as error:
            answer[0] = error.number
        finally:
            with open(theirs, "w") as sink:
                json.dump(answer, sink)
            os._exit(0)
    os.close(theirs)
    with open(ours) as source:
        text = source.read()
    os.waitpid(child, 0)
    number, found = json.loads(text or f"[{errno.EIO}, []]")
    if number:
        raise CallFailed("ptrace", number, "its seccomp filter")
    return [bytes.fromhex(program) for program in found]


def _stop(process: int, pid: int) -> None:
    """Stops a process as its tracer, from now until this process ends."""
    frozen = ""
    with contextlib.suppress(CallFailed):
        frozen = read_status(process, "wchan")
    if frozen == "__refrigerator":  # by a cgroup of version 1: it would stop only when thawed
        raise CallFailed("ptrace", errno.EBUSY)
    _ptrace(_PTRACE_SEIZE, pid)
    _ptrace(_PTRACE_INTERRUPT, pid)
    ends = time.monotonic() + _PATIENCE
    while (left := ends - time.monotonic()) > 0:
        found, state = os.waitpid(pid, os.WNOHANG | _WALL)
        if found:
            if os.WIFSTOPPED(state):
                return
            break
        signal.sigtimedwait({signal.SIGCHLD}, left)
    raise CallFailed("ptrace", errno.EBUSY)


def _copy_filters(pid: int) -> list[bytes]:
    found: list[bytes] = []
    while True:
        try:
            count = _ptrace(_PTRACE_SECCOMP_GET_FILTER, pid, len(found))
        except CallFailed as error:
            if error.number == errno.ENOENT:
                return found
            raise
        program = ctypes.create_string_buffer(count * _INSTRUCTION)
        _ptrace(_PTRACE_SECCOMP_GET_FILTER, pid, len(found), program)
        found.append(program.raw)


def _ptrace(request: int, pid: int, address: int = 0, data: Any = None) -> int:
    return _checked("ptrace", _libc.ptrace(request, pid, ctypes.c_void_p(address), data))


def install_filters(filters: list[bytes]) -> None:
    """Puts filters on this process that no later program can take off."""
    for program in filters:
        code = ctypes.create_string_buffer(program, len(program))
        header = struct.pack("@HP", len(program) // _INSTRUCTION, ctypes.addressof(code))
        holder = ctypes.create_string_buffer(header, len(header))
        _prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.addressof(holder))


def read_profile(process: int) -> str:
    """Returns the AppArmor profile that confines a process; empty without one, or where another module has the label.

    AppArmor writes `PROFILE (MODE)`, and `unconfined`; SELinux a context without a mode.
    """
    for name in ("attr/apparmor/current", "attr/current"):
        with contextlib.suppress(CallFailed, OSError):
            return read_status(process, name).strip().rpartition(" (")[0]
    return ""


def _take_profile(proc: int, profile: str) -> None:
    """Has this process change to an AppArmor profile with its next execve (aa_change_onexec(2))."""
    for name in ("thread-self/attr/apparmor/exec", "thread-self/attr/exec"):
        try:
            file = os.open(name, os.O_WRONLY | os.O_CLOEXEC, dir_fd=proc)
        except FileNotFoundError:
            continue
        try:
            os.write(file, f"exec {profile}".encode())
        finally:
            os.close(file)
        return


# --- cgroups ----------------------------------------------------------------------------------------------------------


class Groups:
    """The session's own cgroups, one a hierarchy, so that no tool counts against the target's limits.

    The supervisor is in them, and so from its beginning is what it starts: a move into a cgroup waits for all
    processors (`cgroup_threadgroup_rwsem`), 15 ms and more, which it has to spare while it has no plan. It stays in
    them to its end, since a move out takes as long; its client removes them then (`cgroup.remove_stale`).

    Their name carries the supervisor's pid namespace, pid and start time: whoever finds them later in the same pid
    namespace can tell whether it still lives, and nobody else tries.
    """

    def __init__(self) -> None:
        self._paths: dict[str, str] = {}
        self._members: list[int] = []
        self._no_forks = -1

    def enter(self, parents: Sequence[str]) -> None:
        """Makes a cgroup in each of these folders that has none yet, and moves this process in."""
        if not parents:
            return
        started = start_time(os.open("/proc/self", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC))
        name = f"pyd-{os.stat('/proc/self/ns/pid').st_ino}-{os.getpid()}-{started}"
        for parent in parents:
            if parent in self._paths:
                continue
            path = f"{parent}/{name}"
            try:
                os.mkdir(path, 0o755)
                self._paths[parent] = path
                self._members.append(os.open(f"{path}/cgroup.procs", os.O_RDWR | os.O_CLOEXEC))
                os.write(self._members[-1], b"0")
            except OSError as error:
                raise CallFailed("cgroup", error.errno or 0, path) from error

    def limit(self, wanted: list[dict[str, Any]]) -> None:
        """Gives them their limits; those that aren't there yet are made."""
        self.enter([group["parent"] for group in wanted])
        try:
            for group in wanted:
                for file, value in group["limits"]:
                    with open(f"{self._paths[group['parent']]}/{file}", "wb", buffering=0) as limit:
                        limit.write(value.encode())
            for path in self._paths.values():
                if os.path.exists(f"{path}/pids.max"):
                    self._no_forks = os.open(f"{path}/pids.max", os.O_WRONLY | os.O_CLOEXEC)
        except OSError as error:
            raise CallFailed("cgroup", error.errno or 0, str(error.filename or "limits")) from error

    def kill(self, *spared: int) -> bool:
        """Kills the members but these, as far as this process's pid namespace shows them; False if there were none."""
        if not self._members:
            return False
        if self._no_forks >= 0:
            os.pwrite(self._no_forks, b"0", 0)
        found = False
        os.lseek(self._members[0], 0, os.SEEK_SET)
        listing = b""
        while part := os.read(self._members[0], 65536):
            listing += part
        for pid in map(int, listing.split()):
            if pid not in (0, *spared):
                found = True
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        return found

    def descriptors(self) -> list[int]:
        """What a keeper has to hold on to."""
        return [*self._members, *([self._no_forks] if self._no_forks >= 0 else [])]

    def remove(self) -> None:
        """Moves this process out of them, and removes them; who else is still in there is killed."""
        for parent, path in self._paths.items():
            try:
                with open(f"{parent}/cgroup.procs", "wb", buffering=0) as members:
                    members.write(b"0")
            except OSError:
                continue  # the next session's to remove, when this process is gone
            for _ in range(2000):
                try:
                    os.rmdir(path)
                except OSError as error:
                    if error.errno != errno.EBUSY:
                        break
                    # The kernel tells nobody when a killed process has left a version 1 cgroup.
                    self.kill(os.getpid())
                    time.sleep(0.001)
                else:
                    break
        self._paths.clear()


# --- the three processes ----------------------------------------------------------------------------------------------


def read_status(process: int, name: str) -> str:
    """Returns the text of a small file of an open `/proc/PID`."""
    try:
        file = os.open(name, os.O_RDONLY | os.O_CLOEXEC, dir_fd=process)
        try:
            return os.read(file, 65536).decode(errors="replace")
        finally:
            os.close(file)
    except OSError as error:
        raise CallFailed("open", error.errno or errno.ESRCH, "the target's /proc entry") from error


def _field(process: int, name: str, key: str) -> str:
    """Returns what a line of a file of `/proc/PID` says after its key; empty when there is no such line."""
    lines = read_status(process, name).splitlines()
    return next((line[len(key) :].strip() for line in lines if line.startswith(key)), "")


def start_time(process: int) -> int:
    """Returns when a process started, in clock ticks since boot; with its pid this names it for ever (proc(5))."""
    return int(read_status(process, "stat").rpartition(")")[2].split()[19])


class Opened:
    """All that is opened while the host's files are still in sight."""

    def __init__(self, plan: Plan, status: socket.socket) -> None:
        try:
            process = os.open(f"/proc/{plan['pid']}", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        except FileNotFoundError as error:
            raise CallFailed("open", errno.ESRCH, "the target") from error
        if start_time(process) != plan["start"]:
            raise CallFailed("open", errno.ESRCH, "the target")
        self.pidfd = os.pidfd_open(plan["pid"])
        start_time(process)  # still there: the pidfd is the target's, not a later process's
        self.root = os.open("root", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=process)
        self.proc = os.open("/proc", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        self.filters: list[bytes] = []
        self.profile = ""
        if plan.get("confined"):
            self.profile = read_profile(process)
            try:
                self.filters = read_filters(process, plan["pid"])
            except CallFailed as error:
                _tell(status, "untaken", error.subject, error.number)
        self.namespaces: dict[str, int] = {}
        for kind in ("user", "mnt", "pid", "net", "ipc", "uts", "cgroup"):
            try:
                namespace = os.open(f"ns/{kind}", os.O_RDONLY | os.O_CLOEXEC, dir_fd=process)
                own = os.stat(f"/proc/self/ns/{kind}").st_ino
            except FileNotFoundError:
                continue  # a kernel without this kind
            if kind == "mnt" or os.fstat(namespace).st_ino != own:
                self.namespaces[kind] = namespace
        # Held as long as this process lives, so that a newer toolbox's maker leaves this one alone.
        fcntl.flock(os.open(plan["toolbox"], os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC), fcntl.LOCK_SH)
        self.toolbox = clone_tree(plan["toolbox"])
        harmless = _MOUNT_ATTR_RDONLY | _MOUNT_ATTR_NOSUID | _MOUNT_ATTR_NODEV
        set_attributes("", mount=self.toolbox, flags=_AT_EMPTY_PATH | _AT_RECURSIVE, add=harmless)
        self.nodes: dict[str, int] = {}
        for name in _NODES:
            if not _is_character_device(self.root, name):
                self.nodes[name] = clone_tree(f"/dev/{name}")

    def join(self, *kinds: str) -> None:
        """Enters namespaces of the target; those it shares with this process are left out."""
        for kind in kinds:
            if kind in self.namespaces:
                _checked("setns", _libc.setns(self.namespaces[kind], 0), kind)


def _is_character_device(root: int, name: str) -> bool:
    try:
        return stat.S_ISCHR(os.stat(f"dev/{name}", dir_fd=root, follow_symlinks=False).st_mode)
    except OSError:
        return False


def _tell(status: socket.socket, *fields: object, descriptors: tuple[int, ...] = ()) -> None:
    message = b"\0".join(str(field).encode(errors="surrogateescape") for field in fields)
    with contextlib.suppress(OSError):  # the client is gone; nobody is left to tell
        socket.send_fds(status, [message], descriptors)


def _let_go_of_stdio() -> None:
    """Lets the ends of the user's pipes go, so that their readers see the end when the command has ended."""
    for descriptor in range(3):
        os.dup2(_nothing, descriptor)


_nothing = -1


def supervise(plan: Plan, status: socket.socket, groups: Groups) -> NoReturn:
    """Runs the plan to its end as the supervisor process; never returns."""
    global _nothing  # noqa: PLW0603 - opened before the host's /dev is out of sight
    code = 125
    try:
        _prctl(_PR_SET_DUMPABLE, 0)
        _nothing = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        opened = Opened(plan, status)
        groups.limit(plan["groups"])
        opened.join("pid")
        keeper = os.fork()
        if keeper == 0:
            _keep(plan, opened, groups, status)
        _let_go_of_stdio()
        ended = _mind(keeper, target=opened.pidfd)
        if _is_over(opened.pidfd, patience=1000 if os.WIFSIGNALED(ended) else 0):
            _tell(status, "ended")
        code = 0
    except CallFailed as error:
        _tell(status, "error", error.call, error.number, error.subject)
    except OSError as error:
        _tell(status, "error", "open", error.errno or 0, error.filename or "")
    except Exception as error:  # noqa: BLE001 - the client turns it into a message
        _tell(status, "error", type(error).__name__, 0, error)
    finally:
        if os.getppid() != plan["client"]:
            groups.remove()
        os._exit(code)


def _is_over(pidfd: int, *, patience: int) -> bool:
    """Whether the target has ended, or does within `patience` milliseconds.

    A namespace's processes, the keeper among them, die a little before its main process does.
    """
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    return bool(poll.poll(patience))


def _mind(child: int, *, everyone: bool = False, target: int = -1) -> int:
    """Waits for a child, passing signals on to it, and returns its wait status.

    Args:
        child: The child.
        everyone: Reap all children, and pass signals to the child's process group.
        target: The target's pidfd; when it ends, the session is told to end, which matters where its pid namespace,
            being the host's, doesn't end with it.
    """
    signals = _signal_descriptor()
    poll = select.poll()
    poll.register(signals, select.POLLIN)
    if target >= 0:
        poll.register(target, select.POLLIN)
    while True:
        for ready, _ in poll.poll():
            if ready == target:
                poll.unregister(target)
                number = int(_CLIENT_GONE)
            else:
                number = struct.unpack_from("I", os.read(signals, 128))[0]
            if number == signal.SIGCHLD:
                ended = _reap(child, everyone=everyone)
                if ended is not None:
                    os.close(signals)
                    return ended
            elif everyone:
                _pass_on(child, signal.SIGKILL if number == _CLIENT_GONE else number)
            else:
                os.kill(child, number)


def _pass_on(child: int, number: int) -> None:
    """Signals the child's process group; the child alone if it has none yet, being about to make it."""
    try:
        os.killpg(child, number)
    except ProcessLookupError:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, number)


def _reap(child: int, *, everyone: bool) -> int | None:
    while True:
        pid, ended = os.waitpid(-1 if everyone else child, os.WNOHANG)
        if pid == child:
            return ended
        if pid == 0:
            return None


def _signal_descriptor() -> int:
    bits = sum(1 << (number - 1) for number in _MINDED)
    return _checked("signalfd", _libc.signalfd(-1, struct.pack("Q", bits).ljust(128, b"\0"), os.O_CLOEXEC))


def _keep(plan: Plan, opened: Opened, groups: Groups, status: socket.socket) -> NoReturn:
    """The keeper: enters the target, starts the command, reaps everything, and leaves nobody behind."""
    try:
        _prctl(_PR_SET_PDEATHSIG, _CLIENT_GONE)
        opened.join("net", "ipc", "uts", "cgroup", "mnt")
        os.fchdir(opened.root)
        os.chroot(".")
        # Only now: a root descriptor of another mount namespace is of no use after the copy is made.
        _checked("unshare", _libc.unshare(_CLONE_NEWNS), "mount namespace")
        set_attributes("/", flags=_AT_RECURSIVE, propagation=_MS_PRIVATE)
        terminals = build_view(plan, opened.toolbox, opened.nodes)
        opened.join("user")
        slave, channel = _open_terminal(plan, terminals, status) if plan["terminal"] else (-1, {})
        _prctl(_PR_SET_CHILD_SUBREAPER, 1)
        command = os.fork()
        if command == 0:
            _become_command(plan, slave, channel, status, opened)
        _let_go_of_stdio()
        kept = {status.fileno(), *groups.descriptors()}
        edge = 3
        for descriptor in [*sorted(kept), _LAST_DESCRIPTOR]:
            if descriptor > edge:
                _syscall("close_range", _CLOSE_RANGE, edge, descriptor - 1, 0)
            edge = descriptor + 1
        _libc.prctl(_PR_SET_NAME, b"pyd-keeper", 0, 0, 0)
        _set_capabilities(_CAP_KILL, _CAP_KILL, 0)
        ended = _mind(command, everyone=True)
        _tell(status, "exit", ended)
        with contextlib.suppress(ChildProcessError):  # a member may be listed a moment longer than it is a child
            while groups.kill(os.getpid(), os.getppid()) or _kill_children():
                os.waitpid(-1, 0)
            while True:
                os.waitpid(-1, 0)
    except CallFailed as error:
        _tell(status, "error", error.call, error.number, error.subject)
    except Exception as error:  # noqa: BLE001 - the client turns it into a message
        _tell(status, "error", type(error).__name__, getattr(error, "errno", 0) or 0, error)
    finally:
        os._exit(0)


def _kill_children() -> bool:
    """Kills this process's children, which all that a session leaves come to be; False when there are none.

    For sessions without a cgroup of their own. `/proc` is known to be this pid namespace's (see `build_view`), but what
    lies on top of it may be the target's: that is never looked at.
    """
    how = struct.pack("QQQ", os.O_RDONLY | os.O_CLOEXEC, 0, _RESOLVE_NO_XDEV)
    try:
        proc = os.open("/proc", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        file = _syscall("openat2", _OPENAT2, proc, b"thread-self/children", how, len(how))
    except (OSError, CallFailed):
        return False
    listing = b""
    while part := os.read(file, 65536):
        listing += part
    os.close(file)
    os.close(proc)
    for pid in map(int, listing.split()):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return bool(listing.split())


def _open_terminal(plan: Plan, terminals: int, status: socket.socket) -> tuple[int, dict[int, int]]:
    """Makes a pty on the session's devpts, and the channel if one is wanted, and gives the client its ends.

    Returns:
        The command's end of the pty, and its ends of the channel by the numbers it shall have them under.
    """
    master = os.open("ptmx", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC, dir_fd=terminals)
    fcntl.ioctl(master, _TIOCSPTLCK, struct.pack("i", 0))
    slave = fcntl.ioctl(master, _TIOCGPTPEER, os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    rows, columns = plan["terminal"]
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    if plan["credentials"] is not None:
        os.fchown(slave, plan["credentials"]["uid"], -1)
    channel: dict[int, int] = {}
    theirs: tuple[int, ...] = (master,)
    if plan.get("channel"):
        (incoming, to_command), (from_command, outgoing) = os.pipe2(os.O_CLOEXEC), os.pipe2(os.O_CLOEXEC)
        channel = dict(zip(plan["channel"], (incoming, outgoing), strict=True))
        theirs = (master, to_command, from_command)
    _tell(status, "terminal", descriptors=theirs)
    for descriptor in theirs:
        os.close(descriptor)
    return slave, channel


def _become_command(
    plan: Plan, slave: int, channel: dict[int, int], status: socket.socket, opened: Opened | None = None
) -> NoReturn:
    """The last steps before the command: its session, its terminal, its credentials, nothing else in hand."""
    subject = plan["argv"][0]
    who = plan["credentials"]
    filters = opened.filters if opened is not None else []
    # Without no-new-privileges a filter takes CAP_SYS_ADMIN; runtimes then install it before they give rights up, so a
    # container's filter allows that. With it they install it last, and it may allow nothing but the execve.
    last = who if filters and who is not None and not who["no_new_privileges"] else None
    try:
        os.setsid()
        if slave >= 0:
            fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
            for descriptor in range(3):
                os.dup2(slave, descriptor)
        try:
            os.chdir(plan["cwd"])
        except OSError:
            os.chdir("/")
        os.umask(0o022)
        if opened is not None and opened.profile:
            try:
                _take_profile(opened.proc, opened.profile)
            except OSError as error:
                _tell(status, "untaken", f"its AppArmor profile {opened.profile}", error.errno or 0)
        if who is not None:
            take_credentials(who, beyond=0 if last is None else _CAP_SYS_ADMIN)
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT, *_FORWARDED):
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        _syscall("close_range", _CLOSE_RANGE, 3, _LAST_DESCRIPTOR, _CLOSE_RANGE_CLOEXEC)
        for wanted, descriptor in channel.items():
            os.dup2(descriptor, wanted)
        install_filters(filters)
        if last is not None:
            _set_capabilities(last["effective"], last["permitted"], last["inheritable"])
        os.execvpe(plan["argv"][0], plan["argv"], plan["env"])
    except CallFailed as error:
        _tell(status, "error", error.call, error.number, error.subject)
    except OSError as error:
        _tell(status, "error", "execve", error.errno or 0, subject)
    finally:
        os._exit(125)


def _run_beside(plan: Plan, status: socket.socket) -> NoReturn:
    """Runs a plan's command in this process's own root and namespaces: beside a target that can't be joined."""
    global _nothing  # noqa: PLW0603 - as in supervise
    try:
        _prctl(_PR_SET_CHILD_SUBREAPER, 1)
        _nothing = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        slave = -1
        channel: dict[int, int] = {}
        if plan["terminal"]:
            terminals = os.open("/dev/pts", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            slave, channel = _open_terminal(plan, terminals, status)
        command = os.fork()
        if command == 0:
            _become_command(plan, slave, channel, status)
        if slave >= 0:
            os.close(slave)
        _let_go_of_stdio()
        _tell(status, "exit", _mind(command, everyone=True))
        while _kill_children():
            os.waitpid(-1, 0)
    except (CallFailed, OSError) as error:
        _tell(status, "error", getattr(error, "call", "open"), getattr(error, "number", 0) or 0, error)
    finally:
        os._exit(0)


def serve(
    status: socket.socket,
    bridge: Callable[[Plan, socket.socket, int], NoReturn] | None = None,
    parents: Sequence[str] = (),
) -> NoReturn:
    """Waits for a plan and carries it out; ends quietly when none comes.

    Args:
        status: Brings the plan, and takes what there is to tell.
        bridge: Carries a plan out that comes with a connection, to where it is to be carried out.
        parents: Folders to make the session's cgroups in, as soon as it is told that there will be a plan.
    """
    os.setsid()  # what a terminal sends to the client's process group is not for the session
    _prctl(_PR_SET_PDEATHSIG, _CLIENT_GONE)
    signal.pthread_sigmask(signal.SIG_BLOCK, _MINDED)
    client, groups = os.getppid(), Groups()
    import json  # noqa: PLC0415 - while the client is busy

    message, connection, _, _ = socket.recv_fds(status, _LARGEST_PLAN, 1)
    if message == b"prepare":
        with contextlib.suppress(CallFailed):  # what the plan can't do without it tries again, and says why it can't
            groups.enter(parents)
        message, connection, _, _ = socket.recv_fds(status, _LARGEST_PLAN, 1)
    if not message:
        if os.getppid() != client:
            groups.remove()
        os._exit(0)
    plan = json.loads(message)
    if connection and bridge is not None:
        groups.remove()
        bridge(plan, status, connection[0])
    if not plan["pid"]:
        _run_beside(plan, status)
    if plan["client"] and os.getppid() != plan["client"]:
        groups.remove()
        os._exit(125)
    supervise(plan, status, groups)


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
