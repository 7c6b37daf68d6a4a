"""The client's side of a debug session's processes."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from pyd_core.debug.failures import describe_no_directory, describe_not_applied, failure
from pyd_core.debug.sessions.supervisor_process import Supervisor
from pyd_core.debug.target import LocalTarget, RemoteTarget
from pyd_core.errors import InvalidInput, PydError

if TYPE_CHECKING:
    from pyd_core.debug.streams import SessionStreams

_FORWARDED_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)
_MAX_MESSAGE_BYTES = 65536
_MAX_DESCRIPTORS = 5
"""The pty's master, and two ends each of the channel and of the pipes for builtins."""


class DebugSession:
    """The client's side of the processes in `join`.

    Args:
        target: The container.
        supervisor: Waits for the plan.
        plan: The session's plan.
    """

    def __init__(self, target: LocalTarget | RemoteTarget, supervisor: Supervisor, plan: dict[str, Any]) -> None:
        self.target = target
        self.plan = plan
        self.supervisor = supervisor
        self.target_ended = False
        self.on_opened: Callable[[list[int]], None] = _close_all
        """Called with the pty's master, and the client's ends of the channel if the plan has one."""
        self.on_line: Callable[[str], None] = lambda _: None
        """Called with lines for the user."""
        self._streams: SessionStreams | None = None
        self._error: PydError | None = None
        self._code: int | None = None

    @property
    def status(self) -> int:
        """The descriptor that becomes readable when there is something to `read_message`."""
        return self.supervisor.status.fileno()

    def start(self) -> None:
        """Give the supervisor its plan.

        Raises:
            InvalidInput: It is too long.
        """
        plan, streams = self.plan, list[int]()
        if self.supervisor.connection >= 0:
            plan = plan | {"bridged": True, "modules": [path for path in sys.path if path]}
            streams = [0, 1, 2] if plan["terminal"] is None else []  # it only copies bytes, and stays out of the target
        elif plan["terminal"] is None:
            from pyd_core.debug.streams import SessionStreams  # noqa: PLC0415 - a terminal has no use for it

            self._streams = SessionStreams()
            streams = self._streams.theirs
        try:
            self.supervisor.send(msgspec.json.encode(plan), streams)
        except OSError as error:
            raise InvalidInput(f"the command and its environment are too long: {error.strerror}") from error
        finally:
            if self._streams is not None:
                self._streams.release()

    def run(self) -> int:
        """Carry the plan out, relay the terminal and signals, and return the exit code at the end of all processes."""
        supervisor = self.supervisor.pid
        for number in _FORWARDED_SIGNALS:
            signal.signal(number, lambda number, _frame: _pass_on(supervisor, number))
        try:
            self.start()
            self._relay()
        finally:
            for number in _FORWARDED_SIGNALS:
                signal.signal(number, signal.SIG_DFL)
        return self.result()

    def _relay(self) -> None:
        if self._streams is not None:
            self._streams.run(self.status, self.read_message)
            return
        if self.plan["terminal"] is None:
            while not self.read_message():
                pass
            return
        from pyd_core.debug.terminal import TerminalRelay  # noqa: PLC0415 - only a terminal needs it

        relay = TerminalRelay({self.status: self.read_message})
        self.on_opened = lambda descriptors: relay.start(descriptors[0])
        try:
            relay.run()
        finally:
            relay.close()

    def read_message(self) -> bool:
        """Take one message; True when there will be no more, because all the session's processes have ended."""
        message, descriptors, _, _ = socket.recv_fds(self.supervisor.status, _MAX_MESSAGE_BYTES, _MAX_DESCRIPTORS)
        if not message:
            return True
        kind, *fields = message.decode(errors="replace").split("\0")
        match kind:
            case "terminal" if descriptors:
                self.on_opened(descriptors)
            case "exit":
                self._code = _exit_code(int(fields[0]))
            case "ended":
                self.target_ended = True
            case "untaken":
                self.on_line(describe_not_applied(fields[0], int(fields[1])))
            case "folder" if fields:
                self.on_line(describe_no_directory(self.plan["cwd"], int(fields[0]), target=self.target.name))
            case "error" if self._error is None:
                call, number, subject = fields
                self._error = failure(call, int(number), subject, target=self.target.name)
            case _:
                pass
        return False

    def result(self) -> int:
        """Return the exit code, once all is done.

        Raises:
            PydError: The command never ran.
        """
        if self._error is not None:
            raise self._error
        if self._code is None:
            self._code = 128 + signal.SIGKILL
        return self._code


Interact = Callable[[DebugSession], int]
"""Runs a session in its own way and returns its exit code."""


def _close_all(descriptors: list[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


def _pass_on(process: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, number)


def _exit_code(status: int) -> int:
    return 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
