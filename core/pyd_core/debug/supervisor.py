"""Starting the process that carries a session out."""

from __future__ import annotations

import contextlib
import os
import signal
import socket

TYPE_CHECKING = False  # as type checkers know it; loading `typing` would keep the fork waiting
if TYPE_CHECKING:
    from typing import Any, NoReturn

PREPARE = b"prepare"
"""What comes before the plan (`join.serve`)."""
LARGEST_PLAN = 4 << 20
"""Bytes; the kernel takes at most 2 MB of arguments and environment anyway (execve(2))."""


def _bridge(plan: dict[str, Any], status: socket.socket, stream: int) -> NoReturn:
    from pyd_core.debug.helper.bridge import bridge  # noqa: PLC0415 - sessions on this machine have no use for it

    bridge(plan, status, stream)


class Supervisor:
    """The process that will carry out a session's plan, started before there is one.

    It loads what the join takes while this process loads the engine's client and asks the engine, and it is small: its
    own children are soon made, and it never holds what the engine answers. The earlier it is started, the less there is
    to copy, here and there.

    Attributes:
        connection: A descriptor of a connection to where the plan is to be carried out (see `helper.bridge`); negative
            where this process is to do it.
        prepared: Whether it has been told to prepare.
    """

    def __init__(self) -> None:
        self.connection = -1
        self.prepared = False
        self.status, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        for each in (self.status, theirs):
            each.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, LARGEST_PLAN)
        self.pid = os.fork()
        if self.pid == 0:
            self._serve(theirs)
        theirs.close()

    def _serve(self, status: socket.socket) -> NoReturn:
        try:
            self.status.close()
            from pyd_core.debug.cgroup import parents  # noqa: PLC0415 - the client goes on at once
            from pyd_core.debug.join import serve  # noqa: PLC0415 - the client has no use for ctypes

            serve(status, _bridge, parents())
        finally:
            os._exit(125)

    def prepare(self) -> Supervisor:
        """Has it make the session's cgroups and enter them: a plan will come, or `close` is called."""
        self.prepared = True
        with contextlib.suppress(OSError):  # it has ended; whoever sends it a plan is told
            self.status.send(PREPARE)
        return self

    def send(self, plan: bytes) -> None:
        """Gives it its plan, as JSON.

        Raises:
            OSError: It is too long.
        """
        socket.send_fds(self.status, [plan], [self.connection] if self.connection >= 0 else [])

    def end(self) -> None:
        """Has it end what runs, as when this process is gone."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGRTMIN)

    def drop(self) -> None:
        """Ends it where `prepare` was never called: it has made nothing yet that it would have to clear away."""
        self.status.close()
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)

    def close(self) -> None:
        """Ends it, if it still waits for a plan, and waits until it has cleared everything away."""
        self.status.close()
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, 0)
            from pyd_core.debug.cgroup import parents, remove_stale  # noqa: PLC0415 - loaded with the plan by now

            remove_stale(parents())
