"""The supervisor's part of a session: it starts the joiner, watches the keeper, and reports to the client (see `join`).

The kernel's interfaces: unix(7), signalfd(2), pidfd_open(2).
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import struct

from pyd_core.debug.sessions.joiner import TargetHandles, join_target
from pyd_core.debug.sessions.reports import CLIENT_GONE, report, report_failure, signal_descriptor
from pyd_core.debug.syscalls import PR_SET_CHILD_SUBREAPER, PR_SET_DUMPABLE, prctl

TYPE_CHECKING = False  # as type checkers know it; nothing here takes what `typing` takes to load
if TYPE_CHECKING:
    from typing import NoReturn

    from pyd_core.debug.sessions.cgroups import SessionCgroups
    from pyd_core.debug.sessions.reports import Plan

_MAX_REPORT_BYTES = 4096
_REAP_TIMEOUT_MS = 5000
"""What a keeper may take to reap what was killed; one that the target has stopped takes for ever."""
_REPORT_FIELDS = {"error": 3, "untaken": 2, "folder": 1}
"""What else the joiner and the keeper may report, and how many fields that has; the second, or the only one, is an
error number."""
_UCRED = struct.Struct("iII")
"""`struct ucred`: process, user and group."""


def supervise(plan: Plan, status: socket.socket, groups: SessionCgroups, streams: list[int]) -> NoReturn:
    """Run the plan to its end as the supervisor process; never returns.

    Args:
        plan: The session's plan.
        status: The client's.
        groups: The session's cgroups.
        streams: The command's standard input, output and error output; none where it gets a terminal.
    """
    code = 125
    try:
        prctl(PR_SET_DUMPABLE, 0)
        prctl(PR_SET_CHILD_SUBREAPER, 1)  # the keeper becomes its child when the joiner has ended
        opened = TargetHandles(plan, status)
        groups.limit(plan["groups"])
        ours, theirs = make_link()
        joiner = os.fork()
        if joiner == 0:
            ours.close()
            join_target(plan, opened, status, theirs, streams)
        theirs.close()
        for stream in streams:  # so that their readers see the end when the command has ended
            os.close(stream)
        Watch(joiner, ours, status, opened.pidfd, groups).run()
        code = 0
    except Exception as error:  # noqa: BLE001 - the client turns it into a message
        report_failure(status, error)
    finally:
        if os.getppid() != plan["client"]:
            groups.remove()
        os._exit(code)


def make_link() -> tuple[socket.socket, socket.socket]:
    """Return the supervisor's end, at which the kernel names the sender of each message, and the keeper's."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setblocking(False)
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
    return ours, theirs


class Watch:
    """Watches the joiner and the keeper to their end, and passes their reports to the client."""

    def __init__(
        self, joiner: int, link: socket.socket, status: socket.socket, target: int, groups: SessionCgroups
    ) -> None:
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
        """Return when all the session's processes are gone."""
        signals = signal_descriptor()
        self._poll = select.poll()
        for descriptor in (signals, self._link.fileno(), self._target):
            self._poll.register(descriptor, select.POLLIN)
        finished = killed = False
        while not finished:
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
            finished, killed = self._reap()
        while self._hear():
            pass
        self._groups.kill(os.getpid())
        if _is_over(self._target, patience=1000 if killed else 0):
            report(self._status, "ended")

    def _obey(self, number: int) -> None:
        if number == CLIENT_GONE:
            self._end()
        elif number != signal.SIGCHLD:
            self._signal(number)

    def _hear(self) -> bool:
        """Take what the joiner or the keeper says, which may be the target's word; False at the end of it."""
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
                return True  # a tracer of the keeper would have any process signalled
            self._keeper = int(fields[0])
            for number in self._early:
                self._signal(number)
        elif kind == "exit" and not self._exited and len(fields) == 1 and _is_number(fields[0], below=1 << 16):
            self._exited, self._patience_ms = True, _REAP_TIMEOUT_MS
            report(self._status, "exit", fields[0])
            self._groups.kill(os.getpid(), self._keeper)
        elif len(fields) == _REPORT_FIELDS.get(kind) and _is_number(fields[min(1, len(fields) - 1)], below=1 << 12):
            report(self._status, kind, *fields)
        return True

    def _signal(self, number: int) -> None:
        if not self._keeper:
            self._early.append(number)
        else:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._keeper, number)

    def _end(self) -> None:
        """Have the session end, whatever it does."""
        self._patience_ms = _REAP_TIMEOUT_MS
        if self._keeper:
            self._signal(CLIENT_GONE)
            self._groups.kill(os.getpid(), self._keeper)
        else:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._child, signal.SIGKILL)

    def _reap(self) -> tuple[bool, bool]:
        """Return whether the last of the two processes has ended, and whether it was killed."""
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
    """Return the process that sent a message, as the kernel names it here (unix(7), SCM_CREDENTIALS); 0: unknown."""
    for level, kind, data in credentials:
        if (level, kind, len(data)) == (socket.SOL_SOCKET, socket.SCM_CREDENTIALS, _UCRED.size):
            pid: int = _UCRED.unpack(data)[0]
            return pid
    return 0


def _is_number(text: str, *, below: int) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 8 and int(text) < below


def _is_over(pidfd: int, *, patience: int) -> bool:
    """Return whether the target has ended, or does within `patience` milliseconds.

    A namespace's processes, the keeper among them, die a little before its main process does.
    """
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    return bool(poll.poll(patience))
