"""A session's processes in the target's pid namespace: the keeper, and the command it starts.

Both may be looked at, stopped and changed by a target that has CAP_SYS_PTRACE (see `join`).
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import select
import signal
import socket
import struct
import termios
import warnings  # noqa: F401 - os.execvpe imports it, and by then the library is out of sight

from pyd_core.debug.confine import install_filters, take_credentials, take_limits
from pyd_core.debug.sessions.reports import CLIENT_GONE, FORWARDED_SIGNALS, report, report_failure, signal_descriptor
from pyd_core.debug.syscalls import (
    PR_SET_CHILD_SUBREAPER,
    PR_SET_NAME,
    PR_SET_PDEATHSIG,
    RESOLVE_IN_ROOT,
    RESOLVE_NO_MAGICLINKS,
    RESOLVE_NO_XDEV,
    CallFailed,
    close_all_but,
    libc,
    open_beneath,
    prctl,
    reaches_root,
    set_capabilities,
)
from pyd_core.debug.view import is_procfs

TYPE_CHECKING = False  # as type checkers know it; nothing here takes what `typing` takes to load
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

    from pyd_core.debug.sessions.reports import Plan

CAP_KILL = 1 << 5


class SessionCommand:
    """The command's plan, streams and confinement.

    Args:
        plan: The session's.
        link: Takes the reports.
        streams: Its standard input, output and error output.
        channel: Its ends of the channel by their numbers in it.
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


def keep(command: SessionCommand) -> NoReturn:
    """Run the keeper: start the command, reap all children, and leave no process behind."""
    link = command.link
    try:
        prctl(PR_SET_CHILD_SUBREAPER, 1)
        libc.prctl(PR_SET_NAME, b"pyd-keeper", 0, 0, 0)
        child = os.fork()
        if child == 0:
            become_command(command)
        close_streams(link)
        set_capabilities(CAP_KILL, CAP_KILL, 0)
        report(link, "exit", wait_for_child(child, link))
        with contextlib.suppress(ChildProcessError):
            while kill_children():
                os.waitpid(-1, 0)
            while True:
                os.waitpid(-1, 0)
    except Exception as error:  # noqa: BLE001 - the client turns it into a message
        report_failure(link, error)
    finally:
        os._exit(0)


def close_streams(link: socket.socket) -> None:
    """Close all but the link, the streams too, so that their readers see the end when the command has ended."""
    close_all_but((link.fileno(),), first=0)


def wait_for_child(child: int, link: socket.socket | None = None) -> int:
    """Wait for a child, reaping all others, passing signals on to its process group, and return its wait status.

    Args:
        child: The child.
        link: The supervisor's; when that ends, so does the child.
    """
    signals = signal_descriptor()
    poll = select.poll()
    poll.register(signals, select.POLLIN)
    if link is not None:
        poll.register(link.fileno(), select.POLLIN)
    while True:
        for ready, _ in poll.poll():
            number = int(CLIENT_GONE)
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
                _pass_on(child, signal.SIGKILL if number == CLIENT_GONE else number)


def _pass_on(child: int, number: int) -> None:
    """Signal the child's process group; the child alone if it has none yet, being about to make it."""
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


def kill_children() -> bool:
    """Kill this process's children, which all that a session leaves come to be; False when there are none.

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


def become_command(command: SessionCommand) -> NoReturn:
    """Become the command: set its session, terminal and credentials, and close all else."""
    plan, link = command.plan, command.link
    who = plan["credentials"]
    try:
        os.setsid()
        _place_descriptors(link, command.streams, command.channel)
        if plan["terminal"]:
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        os.umask(0o022)
        take_limits(command.limits)
        if who is not None:
            take_credentials(who)
        _enter_directory(plan["cwd"], link)
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT, *FORWARDED_SIGNALS):
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        if who is not None and who["no_new_privileges"]:
            install_filters(command.filters)  # the last of all: it may allow nothing but the execve
        os.execvpe(plan["argv"][0], plan["argv"], plan["env"])
    except CallFailed as error:
        report(link, "error", error.call, error.number, error.subject)
    except OSError as error:
        report(link, "error", "execve", error.errno or 0, plan["argv"][0][:1024])
    finally:
        os._exit(125)


def _place_descriptors(link: socket.socket, streams: list[int], channel: dict[int, int]) -> None:
    """Give the command its streams and its channel, and close all else; the link closes with the execve."""
    lowest = max(3, *channel, link.fileno()) + 1
    moved = [fcntl.fcntl(stream, fcntl.F_DUPFD_CLOEXEC, lowest) for stream in streams]
    ends = {number: fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, lowest) for number, end in channel.items()}
    for number, descriptor in (*enumerate(moved), *ends.items()):
        os.dup2(descriptor, number)
    close_all_but((link.fileno(), *channel))


def _enter_directory(path: str, link: socket.socket) -> None:
    """Make the target's directory the working one, as its user; `/` where it can't be had.

    No link of it leads out: magic links of /proc are refused, no descriptor of the host is left to name, and the kernel
    is asked whether what was entered lies below the root.
    """
    number = 0
    try:
        root = os.open("/", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        flags = os.O_PATH | os.O_DIRECTORY
        try:
            directory = open_beneath(root, path, flags, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS)
        except CallFailed as error:
            if error.number not in (errno.EPERM, errno.ENOSYS):
                raise
            directory = os.open(path, flags | os.O_CLOEXEC)  # a filter older than openat2(2) refuses that
        os.fchdir(directory)
        os.close(directory)
        os.close(root)
        if not reaches_root():
            number = errno.ENOENT
    except CallFailed as error:
        number = error.number
    except OSError as error:
        number = error.errno or errno.EIO
    if number:
        os.chdir("/")
        report(link, "folder", number)
