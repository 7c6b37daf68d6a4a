"""The process that carries a session out, and its start."""

from __future__ import annotations

import contextlib
import os
import signal
import socket

TYPE_CHECKING = False  # as type checkers know it; loading `typing` would keep the fork waiting
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

PREPARE = b"prepare"
"""The message before the plan (`join.serve`)."""
MAX_PLAN_BYTES = 4 << 20
"""Bytes; the kernel takes at most 2 MB of arguments and environment anyway (execve(2))."""


class Supervisor:
    """The process that will carry out a session's plan, started before there is one.

    It is an interpreter of its own (`interpreter`), and loads what the join takes while this process loads the engine's
    client and asks the engine. The earlier it is started, the less there is to copy.

    Attributes:
        connection: A descriptor of a connection to where the plan is to be carried out (see `helper.bridge`); negative
            where this process is to do it.
        prepared: Whether `prepare` has been called.
    """

    def __init__(self) -> None:
        self.connection = -1
        self.prepared = False
        self.status, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        for end in (self.status, theirs):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, MAX_PLAN_BYTES)
        self.pid = os.fork()
        if self.pid == 0:
            _become_interpreter(theirs)
        theirs.close()

    def prepare(self) -> Supervisor:
        """Have it make the session's cgroups and enter them: a plan will come, or `close` is called."""
        self.prepared = True
        with contextlib.suppress(OSError):  # it has ended; sending the plan fails then
            self.status.send(PREPARE)
        return self

    def send(self, plan: bytes, streams: Sequence[int] = ()) -> None:
        """Give it its plan, as JSON.

        Args:
            plan: The plan.
            streams: The command's standard input, output and error output; none where it gets a terminal.

        Raises:
            OSError: It is too long.
        """
        connection = [self.connection] if self.connection >= 0 else []
        socket.send_fds(self.status, [plan], [*connection, *streams])

    def end(self) -> None:
        """Have it end what runs, as when this process is gone."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGRTMIN)

    def drop(self) -> None:
        """End it where `prepare` was never called: it has made nothing yet that it would have to clear away."""
        self.status.close()
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)

    def close(self) -> None:
        """End it, if it still waits for a plan, and wait until it has cleared everything away."""
        self.status.close()
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, 0)
            from pyd_core.debug.cgroup import remove_stale, used  # noqa: PLC0415 - loaded with the plan by now

            remove_stale(used())


def _become_interpreter(status: socket.socket) -> NoReturn:
    """Become a fresh interpreter that has nothing of this process but its end of the socket."""
    try:
        # The client continues without waiting, and doesn't need it.
        from pyd_core.debug.interpreter import command_line, environment, seal_program  # noqa: PLC0415

        nothing = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        for number in range(3):
            os.dup2(nothing, number)
        program = seal_program()
        status.set_inheritable(True)
        os.execve(program, command_line(status.fileno()), environment(program))  # noqa: S606 - its purpose
    finally:
        os._exit(125)
