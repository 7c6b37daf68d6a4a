"""The joiner: enters a target and starts the keeper in it, with nothing of the host left in hand (see `join`).

The kernel's interfaces: setns(2), namespaces(7), unshare(2), pty(7).
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import signal
import socket
import stat
import struct
import termios

from pyd_core.debug.confine import (
    Standing,
    drop_bounding,
    install_filters,
    raise_limits,
    read_filters,
    read_limits,
    read_profile,
    start_time,
    take_profile,
)
from pyd_core.debug.sessions.keeper import CAP_KILL, SessionCommand, keep
from pyd_core.debug.sessions.reports import report, report_failure
from pyd_core.debug.syscalls import (
    PR_SET_DUMPABLE,
    PR_SET_KEEPCAPS,
    PR_SET_PDEATHSIG,
    RESOLVE_IN_ROOT,
    RESOLVE_NO_MAGICLINKS,
    CallFailed,
    checked,
    close_all_but,
    join_new_keyring,
    libc,
    open_beneath,
    prctl,
    set_capabilities,
)
from pyd_core.debug.view import AT_RECURSIVE, MS_PRIVATE, NODES, build_view, open_node, open_toolbox
from pyd_core.debug.view import set_attributes as set_mount_attributes

TYPE_CHECKING = False  # as type checkers know it; nothing here takes what `typing` takes to load
if TYPE_CHECKING:
    from typing import Any, NoReturn

    from pyd_core.debug.sessions.reports import Plan

_CLONE_NEWNS = 0x00020000
_CAP_SETGID, _CAP_SETUID, _CAP_SYS_ADMIN = 1 << 6, 1 << 7, 1 << 21
_TIOCSPTLCK, _TIOCGPTPEER = 0x40045431, 0x5441
_NAMESPACES = ("user", "mnt", "pid", "net", "ipc", "uts", "cgroup", "time")


class TargetHandles:
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
                report(status, "untaken", error.subject, error.number)
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
        """Enter namespaces of the target; those it shares with this process are left out."""
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


def join_target(
    plan: Plan, opened: TargetHandles, status: socket.socket, link: socket.socket, streams: list[int]
) -> NoReturn:
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
            slave, channel = open_terminal(plan, terminals, status)
            streams = [slave, slave, slave]
        filters, limits = opened.filters, opened.limits
        close_all_but((link.fileno(), *streams, *channel.values()), first=0)
        os.chdir("/")
        _give_rights_up(plan["credentials"], filters)
        keeper = os.fork()
        if keeper == 0:
            keep(SessionCommand(plan, link, streams, channel, filters=filters, limits=limits))
        report(link, "keeper", keeper)
        code = 0
    except Exception as error:  # noqa: BLE001 - the client turns it into a message
        report_failure(link, error)
    finally:
        os._exit(code)


def _take_confinement(plan: Plan, opened: TargetHandles, link: socket.socket) -> None:
    """Take over what is inherited and needs the host's /proc, or rights over this machine."""
    with contextlib.suppress(CallFailed):  # an engine's filter on a helper container refuses it: the keyring is its own
        join_new_keyring()
    raise_limits(opened.limits)
    opened.standing.take(opened.proc, whole=bool(plan.get("confined")))
    if opened.profile:
        try:
            take_profile(opened.proc, opened.profile)
        except OSError as error:
            report(link, "untaken", f"its AppArmor profile {opened.profile}", error.errno or 0)


def _give_rights_up(who: dict[str, Any], filters: list[bytes]) -> None:
    """Leave what the command is to have and what a keeper takes; the user is the root of the user namespace.

    Without no-new-privileges a filter takes CAP_SYS_ADMIN, which no process in the target's pid namespace is to hold.
    So the keeper has the filter too. Runtimes install it before they give rights up, so it allows that.
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
    kept |= CAP_KILL | _CAP_SETUID | _CAP_SETGID
    if filters and not who["no_new_privileges"]:
        set_capabilities(kept | _CAP_SYS_ADMIN, kept | _CAP_SYS_ADMIN, 0)
        install_filters(filters)
    set_capabilities(kept, kept, 0)
    prctl(PR_SET_DUMPABLE, 0)


def open_terminal(plan: Plan, terminals: int, status: socket.socket) -> tuple[int, dict[int, int]]:
    """Make a pty on the session's devpts, and the channel if one is wanted, and give the client its ends.

    Returns:
        The command's end of the pty, and its ends of the channel by their numbers in it.
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
    for numbers in (plan.get("channel"), plan.get("calls")):
        if numbers:
            (incoming, to_command), (from_command, outgoing) = os.pipe2(os.O_CLOEXEC), os.pipe2(os.O_CLOEXEC)
            channel |= dict(zip(numbers, (incoming, outgoing), strict=True))
            theirs = (*theirs, to_command, from_command)
    report(status, "terminal", descriptors=theirs)
    for descriptor in theirs:
        os.close(descriptor)
    return slave, channel
