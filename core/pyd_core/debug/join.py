"""Joining a target: the processes of a session, on nothing but the standard library.

`pyd debug` starts a fresh interpreter that calls `main` here (`interpreter`); the agent of a helper container forks and
calls `serve`. The plan comes as JSON, in one message on a seqpacket socket, with the session's standard streams as
descriptors. These processes come of it:

```
client       pyd itself, outside everything; owns the user's terminal and passes bytes
└─ supervisor    outside the target; makes and removes the session's cgroups, outlives a killed client
   ├─ joiner        still in the pid namespace of the supervisor, so that the target doesn't see it: enters all other
   │                namespaces, makes the view, closes all it holds of the host, gives rights up; ends with its fork,
   └─ keeper        which is the first in the target's pid namespace; reaps what the session orphans
      └─ command       the shell, with its credentials, in its own session
```

What is in the target's pid namespace may be looked at, stopped and changed by a target that has CAP_SYS_PTRACE. So it
has its root and working directory in the target, no environment, no descriptor but of the session's own streams and of
a socket to the supervisor, no more rights than the command is to have (and CAP_KILL, CAP_SETUID, CAP_SETGID), and a
program file in memory that is sealed. The supervisor takes what it says for the target's word.

The plan is a dictionary as `pyd_core.debug.plan.make_plan` makes it. Messages go back to the client over the same
socket, as fields with NUL between them: `error CALL ERRNO SUBJECT`, `terminal` (with the pty's master as a passed
descriptor; where the plan has a `channel`, also the ends of two pipes to the command, which has their other ends under
the two numbers that the plan gives: what it reads from, and what it writes to), `untaken SUBJECT ERRNO` (what confines
the target doesn't confine the command), `folder ERRNO` (the command's working directory can't be had; it has `/`),
`exit WAITSTATUS`, `ended` (the target is gone).

The kernel's interfaces: setns(2), namespaces(7), openat2(2), signalfd(2), and those of the modules beside this one.
"""

from __future__ import annotations

import contextlib
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
import warnings  # noqa: F401 - os.execvpe imports it, and by then the library is out of sight

from pyd_core.debug.confine import (
    Standing,
    drop_bounding,
    install_filters,
    raise_limits,
    read_filters,
    read_limits,
    read_profile,
    start_time,
    take_credentials,
    take_limits,
    take_profile,
)
from pyd_core.debug.session_groups import Groups
from pyd_core.debug.syscalls import (
    PR_SET_CHILD_SUBREAPER,
    PR_SET_DUMPABLE,
    PR_SET_KEEPCAPS,
    PR_SET_NAME,
    PR_SET_PDEATHSIG,
    RESOLVE_IN_ROOT,
    RESOLVE_NO_MAGICLINKS,
    RESOLVE_NO_XDEV,
    CallFailed,
    checked,
    close_all_but,
    forget_start,
    join_new_keyring,
    libc,
    open_beneath,
    prctl,
    reaches_root,
    set_capabilities,
)
from pyd_core.debug.view import AT_RECURSIVE, MS_PRIVATE, NODES, build_view, is_procfs, open_node, open_toolbox
from pyd_core.debug.view import set_attributes as set_mount_attributes

TYPE_CHECKING = False  # as type checkers know it; nothing here takes what `typing` takes to load
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, NoReturn

    Plan = dict[str, Any]
    Bridge = Callable[[Plan, socket.socket, int], NoReturn]

_CLONE_NEWNS = 0x00020000
_CAP_KILL, _CAP_SETGID, _CAP_SETUID, _CAP_SYS_ADMIN = 1 << 5, 1 << 6, 1 << 7, 1 << 21
_TIOCSPTLCK, _TIOCGPTPEER = 0x40045431, 0x5441

_CLIENT_GONE = signal.SIGRTMIN
_FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)
_MINDED = {signal.SIGCHLD, _CLIENT_GONE, *_FORWARDED}

_MAX_PLAN_BYTES = 4 << 20
_MAX_REPORT_BYTES = 4096
_MAX_PLAN_DESCRIPTORS = 4
_REAP_TIMEOUT_MS = 5000
"""What a keeper may take to reap what was killed; one that the target has stopped takes for ever."""
_REPORT_FIELDS = {"error": 3, "untaken": 2, "folder": 1}
"""What else the joiner and the keeper may report, and how many fields that has; the second, or the only one, is an
error number."""
_UCRED = struct.Struct("iII")
"""`struct ucred`: process, user and group."""
_NAMESPACES = ("user", "mnt", "pid", "net", "ipc", "uts", "cgroup", "time")


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
        self.limits = read_limits(plan["pid"])
        self.standing = Standing(process, plan["pid"])
        self.filters: list[bytes] = [bytes.fromhex(plan["filter"])] if plan.get("filter") else []
        self.profile = ""
        if plan.get("confined"):
            self.profile = read_profile(process)
            try:
                self.filters = read_filters(process, plan["pid"])
            except CallFailed as error:
                _report(status, "untaken", error.subject, error.number)
        self.namespaces: dict[str, int] = {}
        for kind in _NAMESPACES:
            try:
                namespace = os.open(f"ns/{kind}", os.O_RDONLY | os.O_CLOEXEC, dir_fd=process)
                own = os.stat(f"/proc/self/ns/{kind}").st_ino
            except FileNotFoundError:
                continue  # a kernel without this kind
            if kind == "pid":
                self.processes = namespace
            if kind == "mnt" or os.fstat(namespace).st_ino != own:
                self.namespaces[kind] = namespace
        # Held as long as this process lives, so that a newer toolbox's maker leaves this one alone.
        fcntl.flock(os.open(plan["toolbox"], os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC), fcntl.LOCK_SH)
        self.toolbox = open_toolbox(plan["toolbox"])
        self.nodes = {name: open_node(name) for name in NODES if not _is_character_device(self.root, name)}

    def join(self, *kinds: str) -> None:
        """Enters namespaces of the target; those it shares with this process are left out."""
        for kind in kinds:
            if kind in self.namespaces:
                checked("setns", libc.setns(self.namespaces[kind], 0), kind)


def _is_character_device(root: int, name: str) -> bool:
    try:
        node = open_beneath(root, f"dev/{name}", os.O_PATH | os.O_NOFOLLOW, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS)
    except CallFailed:
        return False
    try:
        return stat.S_ISCHR(os.fstat(node).st_mode)
    finally:
        os.close(node)


def _report(status: socket.socket, *fields: object, descriptors: tuple[int, ...] = ()) -> None:
    message = b"\0".join(str(field).encode(errors="surrogateescape") for field in fields)
    with contextlib.suppress(OSError):  # whoever would hear it is gone
        socket.send_fds(status, [message], descriptors)


def _report_failure(status: socket.socket, error: Exception) -> None:
    if isinstance(error, CallFailed):
        _report(status, "error", error.call, error.number, error.subject)
    elif isinstance(error, OSError):
        _report(status, "error", "open", error.errno or 0, error.filename or "")
    else:
        _report(status, "error", type(error).__name__, 0, error)


# --- the supervisor ---------------------------------------------------------------------------------------------------


def supervise(plan: Plan, status: socket.socket, groups: Groups, streams: list[int]) -> NoReturn:
    """Runs the plan to its end as the supervisor process; never returns.

    Args:
        plan: What to do.
        status: The client's.
        groups: The session's cgroups.
        streams: The command's standard input, output and error output; none where it gets a terminal.
    """
    code = 125
    try:
        prctl(PR_SET_DUMPABLE, 0)
        prctl(PR_SET_CHILD_SUBREAPER, 1)  # the keeper becomes its child when the joiner has ended
        opened = Opened(plan, status)
        groups.limit(plan["groups"])
        ours, theirs = _make_link()
        joiner = os.fork()
        if joiner == 0:
            ours.close()
            _join(plan, opened, status, theirs, streams)
        theirs.close()
        for stream in streams:  # so that their readers see the end when the command has ended
            os.close(stream)
        _Watch(joiner, ours, status, opened.pidfd, groups).run()
        code = 0
    except Exception as error:  # noqa: BLE001 - the client turns it into a message
        _report_failure(status, error)
    finally:
        if os.getppid() != plan["client"]:
            groups.remove()
        os._exit(code)


def _make_link() -> tuple[socket.socket, socket.socket]:
    """Returns the supervisor's end, at which the kernel names the sender of each message, and the keeper's."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setblocking(False)
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
    return ours, theirs


class _Watch:
    """Minds the joiner and the keeper to their end, and tells the client what they report."""

    def __init__(self, joiner: int, link: socket.socket, status: socket.socket, target: int, groups: Groups) -> None:
        self._child = joiner
        self._keeper = 0
        self._link = link
        self._status = status
        self._target = target
        self._groups = groups
        self._exited = False
        self._patience_ms: int | None = None
        self._early: list[int] = []
        """Signals for a keeper that isn't there yet."""

    def run(self) -> None:
        """Returns when all the session's processes are gone."""
        signals = _signal_descriptor()
        self._poll = select.poll()
        for descriptor in (signals, self._link.fileno(), self._target):
            self._poll.register(descriptor, select.POLLIN)
        over = killed = False
        while not over:
            ready = dict(self._poll.poll(self._patience_ms))
            if not ready:
                self._signal(signal.SIGKILL)
            if self._link.fileno() in ready and not self._hear():
                self._poll.unregister(self._link.fileno())
            if self._target in ready:  # matters where its pid namespace, being the host's, doesn't end with it
                self._poll.unregister(self._target)
                self._end()
            if signals in ready:
                self._obey(struct.unpack_from("I", os.read(signals, 128))[0])
            over, killed = self._reap()
        while self._hear():
            pass
        self._groups.kill(os.getpid())
        if _is_over(self._target, patience=1000 if killed else 0):
            _report(self._status, "ended")

    def _obey(self, number: int) -> None:
        if number == _CLIENT_GONE:
            self._end()
        elif number != signal.SIGCHLD:
            self._signal(number)

    def _hear(self) -> bool:
        """Takes what the joiner or the keeper says, which may be the target's word; False at the end of it."""
        try:
            message, credentials, _, _ = self._link.recvmsg(_MAX_REPORT_BYTES, socket.CMSG_SPACE(_UCRED.size))
        except BlockingIOError:
            return False
        except OSError:
            message, credentials = b"", []
        if not message:
            return False
        kind, *fields = message.decode(errors="replace").split("\0")
        if kind == "keeper":
            if self._keeper or self._child != _sender(credentials):
                return True  # whoever traces the keeper would have any process signalled
            self._keeper = int(fields[0])
            for number in self._early:
                self._signal(number)
        elif kind == "exit" and not self._exited and len(fields) == 1 and _is_number(fields[0], below=1 << 16):
            self._exited, self._patience_ms = True, _REAP_TIMEOUT_MS
            _report(self._status, "exit", fields[0])
            self._groups.kill(os.getpid(), self._keeper)
        elif len(fields) == _REPORT_FIELDS.get(kind) and _is_number(fields[min(1, len(fields) - 1)], below=1 << 12):
            _report(self._status, kind, *fields)
        return True

    def _signal(self, number: int) -> None:
        if not self._keeper:
            self._early.append(number)
        else:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._keeper, number)

    def _end(self) -> None:
        """Has the session end, whatever it does."""
        self._patience_ms = _REAP_TIMEOUT_MS
        if self._keeper:
            self._signal(_CLIENT_GONE)
            self._groups.kill(os.getpid(), self._keeper)
        else:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._child, signal.SIGKILL)

    def _reap(self) -> tuple[bool, bool]:
        """Returns whether the last of the two processes has ended, and whether it was killed."""
        while True:
            try:
                pid, ended = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return True, False
            if pid == 0:
                return False, False
            if pid == self._child:
                while self._hear():
                    pass
                if not self._keeper:
                    return True, os.WIFSIGNALED(ended)
            elif pid == self._keeper:
                return True, os.WIFSIGNALED(ended)


def _sender(credentials: list[tuple[int, int, bytes]]) -> int:
    """Returns the process that sent a message, as the kernel names it here (unix(7), SCM_CREDENTIALS); 0: unknown."""
    for level, kind, data in credentials:
        if (level, kind, len(data)) == (socket.SOL_SOCKET, socket.SCM_CREDENTIALS, _UCRED.size):
            pid: int = _UCRED.unpack(data)[0]
            return pid
    return 0


def _is_number(text: str, *, below: int) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 8 and int(text) < below


def _is_over(pidfd: int, *, patience: int) -> bool:
    """Whether the target has ended, or does within `patience` milliseconds.

    A namespace's processes, the keeper among them, die a little before its main process does.
    """
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    return bool(poll.poll(patience))


# --- the joiner -------------------------------------------------------------------------------------------------------


def _join(plan: Plan, opened: Opened, status: socket.socket, link: socket.socket, streams: list[int]) -> NoReturn:
    """The joiner: enters the target and forks the keeper into its pid namespace, with nothing of the host in hand."""
    code = 125
    try:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        opened.join("pid", "time", "net", "ipc", "uts", "cgroup", "mnt")
        os.fchdir(opened.root)
        os.chroot(".")
        # Only now: a root descriptor of another mount namespace is of no use after the copy is made.
        checked("unshare", libc.unshare(_CLONE_NEWNS), "mount namespace")
        set_mount_attributes("/", flags=AT_RECURSIVE, propagation=MS_PRIVATE)
        terminals = build_view(plan, opened.toolbox, opened.nodes, opened.processes)
        _take_confinement(plan, opened, link)
        opened.join("user")
        channel: dict[int, int] = {}
        if plan["terminal"]:
            slave, channel = _open_terminal(plan, terminals, status)
            streams = [slave, slave, slave]
        filters, limits = opened.filters, opened.limits
        close_all_but((link.fileno(), *streams, *channel.values()), first=0)
        os.chdir("/")
        _give_rights_up(plan["credentials"], filters)
        keeper = os.fork()
        if keeper == 0:
            _keep(_Command(plan, link, streams, channel, filters=filters, limits=limits))
        _report(link, "keeper", keeper)
        code = 0
    except Exception as error:  # noqa: BLE001 - the client turns it into a message
        _report_failure(link, error)
    finally:
        os._exit(code)


def _take_confinement(plan: Plan, opened: Opened, link: socket.socket) -> None:
    """Takes over what is inherited and needs the host's /proc, or rights over this machine."""
    with contextlib.suppress(CallFailed):  # an engine's filter on a helper container refuses it: the keyring is its own
        join_new_keyring()
    raise_limits(opened.limits)
    opened.standing.take(opened.proc, whole=bool(plan.get("confined")))
    if opened.profile:
        try:
            take_profile(opened.proc, opened.profile)
        except OSError as error:
            _report(link, "untaken", f"its AppArmor profile {opened.profile}", error.errno or 0)


def _give_rights_up(who: dict[str, Any], filters: list[bytes]) -> None:
    """Leaves what the command is to have and what a keeper takes; the user is the root of the user namespace.

    Without no-new-privileges a filter takes CAP_SYS_ADMIN, which nobody in the target's pid namespace is to hold: so
    the keeper has the filter too. Runtimes install it before they give rights up, so it allows that.
    """
    drop_bounding(who["bounding"])
    for groups, uid, gid in (([], 0, 0), (who["groups"], who["uid"], who["gid"])):
        try:
            os.setgroups(groups)
            os.setresgid(gid, gid, gid)
            prctl(PR_SET_KEEPCAPS, 1)
            os.setresuid(uid, uid, uid)
        except OSError:
            continue  # the user namespace has no such user
        break
    kept = who["permitted"] | who["effective"] | who["inheritable"] | who["ambient"]
    kept |= _CAP_KILL | _CAP_SETUID | _CAP_SETGID
    if filters and not who["no_new_privileges"]:
        set_capabilities(kept | _CAP_SYS_ADMIN, kept | _CAP_SYS_ADMIN, 0)
        install_filters(filters)
    set_capabilities(kept, kept, 0)
    prctl(PR_SET_DUMPABLE, 0)


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
    _report(status, "terminal", descriptors=theirs)
    for descriptor in theirs:
        os.close(descriptor)
    return slave, channel


# --- the keeper and the command ---------------------------------------------------------------------------------------


class _Command:
    """What the command becomes.

    Args:
        plan: The session's.
        link: Takes what there is to report.
        streams: Its standard input, output and error output.
        channel: Its ends of the channel by the numbers it shall have them under.
        filters: seccomp filters, installed at the very end where it may gain no privileges.
        limits: Resource limits, as `read_limits` returns them.
    """

    def __init__(
        self,
        plan: Plan,
        link: socket.socket,
        streams: list[int],
        channel: dict[int, int],
        *,
        filters: Sequence[bytes] = (),
        limits: Sequence[tuple[int, int, int]] = (),
    ) -> None:
        self.plan, self.link = plan, link
        self.streams, self.channel = streams, channel
        self.filters, self.limits = filters, limits


def _keep(wanted: _Command) -> NoReturn:
    """The keeper: starts the command, reaps everything, and leaves nobody behind."""
    link = wanted.link
    try:
        prctl(PR_SET_CHILD_SUBREAPER, 1)
        libc.prctl(PR_SET_NAME, b"pyd-keeper", 0, 0, 0)
        command = os.fork()
        if command == 0:
            _become_command(wanted)
        _close_streams(link)
        set_capabilities(_CAP_KILL, _CAP_KILL, 0)
        _report(link, "exit", _mind(command, link))
        with contextlib.suppress(ChildProcessError):
            while _kill_children():
                os.waitpid(-1, 0)
            while True:
                os.waitpid(-1, 0)
    except Exception as error:  # noqa: BLE001 - the client turns it into a message
        _report_failure(link, error)
    finally:
        os._exit(0)


def _close_streams(link: socket.socket) -> None:
    """Closes all but the link, the streams too, so that their readers see the end when the command has ended."""
    close_all_but((link.fileno(),), first=0)


def _mind(child: int, link: socket.socket | None = None) -> int:
    """Waits for a child, reaping all others, passing signals on to its process group, and returns its wait status.

    Args:
        child: The child.
        link: The supervisor's; when that ends, so does the child.
    """
    signals = _signal_descriptor()
    poll = select.poll()
    poll.register(signals, select.POLLIN)
    if link is not None:
        poll.register(link.fileno(), select.POLLIN)
    while True:
        for ready, _ in poll.poll():
            number = int(_CLIENT_GONE)
            if ready == signals:
                number = struct.unpack_from("I", os.read(signals, 128))[0]
            elif link is not None:
                poll.unregister(link.fileno())
            if number == signal.SIGCHLD:
                ended = _reap(child)
                if ended is not None:
                    os.close(signals)
                    return ended
            else:
                _pass_on(child, signal.SIGKILL if number == _CLIENT_GONE else number)


def _pass_on(child: int, number: int) -> None:
    """Signals the child's process group; the child alone if it has none yet, being about to make it."""
    try:
        os.killpg(child, number)
    except ProcessLookupError:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, number)


def _reap(child: int) -> int | None:
    while True:
        pid, ended = os.waitpid(-1, os.WNOHANG)
        if pid == child:
            return ended
        if pid == 0:
            return None


def _signal_descriptor() -> int:
    bits = sum(1 << (number - 1) for number in _MINDED)
    return checked("signalfd", libc.signalfd(-1, struct.pack("Q", bits).ljust(128, b"\0"), os.O_CLOEXEC))


def _kill_children() -> bool:
    """Kills this process's children, which all that a session leaves come to be; False when there are none.

    For sessions without a cgroup of their own. What the target has mounted on its `/proc`, or on top of what is in it,
    is never looked at.
    """
    try:
        proc = os.open("/proc", os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        if not is_procfs(proc):
            return False
        file = open_beneath(proc, "thread-self/children", os.O_RDONLY, RESOLVE_NO_XDEV)
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


def _become_command(wanted: _Command) -> NoReturn:
    """The last steps before the command: its session, its terminal, its credentials, nothing else in hand."""
    plan, link = wanted.plan, wanted.link
    who = plan["credentials"]
    try:
        os.setsid()
        _place_descriptors(link, wanted.streams, wanted.channel)
        if plan["terminal"]:
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        os.umask(0o022)
        take_limits(wanted.limits)
        if who is not None:
            take_credentials(who)
        _enter_folder(plan["cwd"], link)
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT, *_FORWARDED):
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        if who is not None and who["no_new_privileges"]:
            install_filters(wanted.filters)  # the last of all: it may allow nothing but the execve
        os.execvpe(plan["argv"][0], plan["argv"], plan["env"])
    except CallFailed as error:
        _report(link, "error", error.call, error.number, error.subject)
    except OSError as error:
        _report(link, "error", "execve", error.errno or 0, plan["argv"][0][:1024])
    finally:
        os._exit(125)


def _place_descriptors(link: socket.socket, streams: list[int], channel: dict[int, int]) -> None:
    """Gives the command its streams and its channel, and closes all else; the link closes with the execve."""
    lowest = max(3, *channel, link.fileno()) + 1
    moved = [fcntl.fcntl(stream, fcntl.F_DUPFD_CLOEXEC, lowest) for stream in streams]
    ends = {wanted: fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, lowest) for wanted, end in channel.items()}
    for wanted, descriptor in (*enumerate(moved), *ends.items()):
        os.dup2(descriptor, wanted)
    close_all_but((link.fileno(), *channel))


def _enter_folder(path: str, link: socket.socket) -> None:
    """Makes the target's directory the working one, as its user; `/` where it can't be had.

    No link of it leads out: magic links of /proc are refused, no descriptor of the host is left to name, and the kernel
    is asked whether what was entered lies below the root.
    """
    number = 0
    try:
        root = os.open("/", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        flags = os.O_PATH | os.O_DIRECTORY
        try:
            folder = open_beneath(root, path, flags, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS)
        except CallFailed as error:
            if error.number not in (errno.EPERM, errno.ENOSYS):
                raise
            folder = os.open(path, flags | os.O_CLOEXEC)  # a filter older than openat2(2) refuses that
        os.fchdir(folder)
        os.close(folder)
        os.close(root)
        if not reaches_root():
            number = errno.ENOENT
    except CallFailed as error:
        number = error.number
    except OSError as error:
        number = error.errno or errno.EIO
    if number:
        os.chdir("/")
        _report(link, "folder", number)


# --- beside a target, and the beginning -------------------------------------------------------------------------------


def _run_beside(plan: Plan, status: socket.socket, streams: list[int]) -> NoReturn:
    """Runs a plan's command in this process's own root and namespaces: beside a target that can't be joined."""
    try:
        prctl(PR_SET_CHILD_SUBREAPER, 1)
        channel: dict[int, int] = {}
        if plan["terminal"]:
            terminals = os.open("/dev/pts", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            slave, channel = _open_terminal(plan, terminals, status)
            streams = [slave, slave, slave]
        command = os.fork()
        if command == 0:
            _become_command(_Command(plan, status, streams, channel))
        _close_streams(status)
        _report(status, "exit", _mind(command))
        while _kill_children():
            os.waitpid(-1, 0)
    except Exception as error:  # noqa: BLE001 - the client turns it into a message
        _report_failure(status, error)
    finally:
        os._exit(0)


def serve(status: socket.socket, bridge: Bridge | None = None, parents: Sequence[str] = ()) -> NoReturn:
    """Waits for a plan and carries it out; ends quietly when none comes.

    Args:
        status: Brings the plan, and takes what there is to report. With the plan come the command's standard streams;
            where none do and it gets no terminal, it has those of this process.
        bridge: Carries a plan out that comes with a connection, to where it is to be carried out.
        parents: Folders to make the session's cgroups in, as soon as it is told that there will be a plan.
    """
    os.setsid()  # what a terminal sends to the client's process group is not for the session
    prctl(PR_SET_PDEATHSIG, _CLIENT_GONE)
    signal.pthread_sigmask(signal.SIG_BLOCK, _MINDED)
    client, groups = os.getppid(), Groups()
    import json  # noqa: PLC0415 - while the client is busy

    message, descriptors, _, _ = socket.recv_fds(status, _MAX_PLAN_BYTES, _MAX_PLAN_DESCRIPTORS)
    if message == b"prepare":
        with contextlib.suppress(CallFailed):  # what the plan can't do without it tries again, and says why it can't
            groups.enter(parents)
        message, descriptors, _, _ = socket.recv_fds(status, _MAX_PLAN_BYTES, _MAX_PLAN_DESCRIPTORS)
    if not message:
        if os.getppid() != client:
            groups.remove()
        os._exit(0)
    plan = json.loads(message)
    for descriptor in descriptors:
        os.set_inheritable(descriptor, False)
    if plan.get("bridged") and bridge is not None:
        groups.remove()
        connection, *streams = descriptors
        for place, stream in enumerate(streams):
            os.dup2(stream, place)
            os.close(stream)
        sys.path += plan.pop("modules")
        bridge(plan, status, connection)
    streams = list(descriptors) or [fcntl.fcntl(place, fcntl.F_DUPFD_CLOEXEC, 3) for place in range(3)]
    _let_go_of_streams()
    if not plan["pid"]:
        _run_beside(plan, status, streams)
    if plan["client"] and os.getppid() != plan["client"]:
        groups.remove()
        os._exit(125)
    supervise(plan, status, groups, streams)


def _let_go_of_streams() -> None:
    """Puts nothing in place of this process's own streams."""
    nothing = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    for place in range(3):
        os.dup2(nothing, place)
    os.close(nothing)


def main(status: int) -> NoReturn:
    """Serves one client as a fresh interpreter's whole life.

    Args:
        status: The descriptor of the socket to it; all others but the first three are closed.
    """
    try:
        close_all_but((status,))
        forget_start()
        prctl(PR_SET_DUMPABLE, 0)
        libc.prctl(PR_SET_NAME, b"pyd-supervisor", 0, 0, 0)
        from pyd_core.debug.cgroup import parents  # noqa: PLC0415 - helper containers have no use for it

        serve(socket.socket(fileno=status), _bridge, parents())
    finally:
        os._exit(125)


def _bridge(plan: Plan, status: socket.socket, stream: int) -> NoReturn:
    from pyd_core.debug.helper.bridge import bridge  # noqa: PLC0415 - sessions on this machine have no use for it

    bridge(plan, status, stream)
