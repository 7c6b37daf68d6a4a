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
import fcntl
import os
import signal
import socket
import sys

from pyd_core.debug.sessions.cgroups import SessionCgroups
from pyd_core.debug.sessions.joiner import open_terminal
from pyd_core.debug.sessions.keeper import SessionCommand, become_command, close_streams, kill_children, wait_for_child
from pyd_core.debug.sessions.reports import CLIENT_GONE, HANDLED_SIGNALS, report, report_failure
from pyd_core.debug.sessions.supervisor import supervise
from pyd_core.debug.syscalls import (
    PR_SET_CHILD_SUBREAPER,
    PR_SET_DUMPABLE,
    PR_SET_NAME,
    PR_SET_PDEATHSIG,
    CallFailed,
    close_all_but,
    forget_start,
    libc,
    prctl,
)

TYPE_CHECKING = False  # as type checkers know it; nothing here takes what `typing` takes to load
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import NoReturn

    from pyd_core.debug.sessions.reports import Plan

    Bridge = Callable[[Plan, socket.socket, int], NoReturn]

_MAX_PLAN_BYTES = 4 << 20
_MAX_PLAN_DESCRIPTORS = 4


def _run_next_to(plan: Plan, status: socket.socket, streams: list[int]) -> NoReturn:
    """Run a plan's command in this process's own root and namespaces: beside a target that can't be joined."""
    try:
        prctl(PR_SET_CHILD_SUBREAPER, 1)
        channel: dict[int, int] = {}
        if plan["terminal"]:
            terminals = os.open("/dev/pts", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            slave, channel = open_terminal(plan, terminals, status)
            streams = [slave, slave, slave]
        command = os.fork()
        if command == 0:
            become_command(SessionCommand(plan, status, streams, channel))
        close_streams(status)
        report(status, "exit", wait_for_child(command))
        while kill_children():
            os.waitpid(-1, 0)
    except Exception as error:  # noqa: BLE001 - the client turns it into a message
        report_failure(status, error)
    finally:
        os._exit(0)


def serve(status: socket.socket, bridge: Bridge | None = None, parents: Sequence[str] = ()) -> NoReturn:
    """Wait for a plan and carry it out; end quietly when none comes.

    Args:
        status: Brings the plan, and takes what there is to report. With the plan come the command's standard streams;
            where none do and it gets no terminal, it has those of this process.
        bridge: Carries a plan out that comes with a connection, to where it is to be carried out.
        parents: Directories to create the session's cgroups in, once the client announces a plan.
    """
    os.setsid()  # what a terminal sends to the client's process group is not for the session
    prctl(PR_SET_PDEATHSIG, CLIENT_GONE)
    signal.pthread_sigmask(signal.SIG_BLOCK, HANDLED_SIGNALS)
    client, groups = os.getppid(), SessionCgroups()
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
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)
        sys.path += plan.pop("modules")
        bridge(plan, status, connection)
    streams = list(descriptors) or [fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, 3) for number in range(3)]
    _release_streams()
    if not plan["pid"]:
        _run_next_to(plan, status, streams)
    if plan["client"] and os.getppid() != plan["client"]:
        groups.remove()
        os._exit(125)
    supervise(plan, status, groups, streams)


def _release_streams() -> None:
    """Put nothing in place of this process's own streams."""
    nothing = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    for number in range(3):
        os.dup2(nothing, number)
    os.close(nothing)


def main(status: int) -> NoReturn:
    """Serve one client as a fresh interpreter's whole life.

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
