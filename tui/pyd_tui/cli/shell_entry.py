"""The way from the command line into the debug shell: the only module of the CLI that imports it, when it is needed."""

from __future__ import annotations

from pyd_tui.console.prompts import TerminalIO

TYPE_CHECKING = False  # as type checkers know it; loading `typing` would delay short sessions
if TYPE_CHECKING:
    from collections.abc import Callable

    from pyd_core.client.endpoint import Endpoint
    from pyd_core.debug.access import Access
    from pyd_core.debug.options import DebugOptions
    from pyd_core.debug.sessions.record import SessionRecord
    from pyd_core.debug.sessions.request import SessionRequest
    from pyd_core.debug.sessions.supervisor_process import Supervisor
    from pyd_core.debug.user_io import UserIO


def run_shell(
    request: SessionRequest,
    supervisor: Supervisor,
    io: TerminalIO,
    *,
    record: str | None = None,
    enter: Callable[[SessionRequest, Supervisor, UserIO], int] | None = None,
) -> int:
    """Run the debug shell on this process's terminal and return its exit code.

    Args:
        request: The engine, and what to do.
        supervisor: Waits for its plan.
        io: Shows notices and progress.
        record: The file to record the terminal to.
        enter: Runs a session in its own way.
    """
    from pyd_tui.shell import shell_runner

    if enter is None:
        return shell_runner.run_shell(request, supervisor, io, record=record)
    return shell_runner.run_shell(request, supervisor, io, record=record, enter=enter)


def run_line(request: SessionRequest, line: str, access: Access) -> int:
    """Run a line that calls a builtin on a target that is open already, and return its exit code."""
    from pyd_tui.shell import run_builtin as builtins

    return builtins.run_line(request, line, access)


def run_builtin(endpoint: Endpoint, options: DebugOptions, line: str) -> int:
    """Run a line that calls a builtin of the debug shell and return its exit code."""
    from pyd_core.debug.sessions.request import SessionRequest
    from pyd_tui.shell.run_builtin import run_once

    io = TerminalIO(asks=False)
    try:
        return run_once(SessionRequest(endpoint, options), line, io)
    finally:
        io.stop()


def detach(endpoint: Endpoint, options: DebugOptions, *, ttl: float) -> tuple[str, int]:
    """Start a detached session; return its id, or an empty one and the exit code of its failure."""
    from pyd_core.debug.sessions.request import SessionRequest
    from pyd_tui.shell import detached_sessions

    return detached_sessions.detach(SessionRequest(endpoint, options), TerminalIO(asks=False), ttl=ttl)


def attach(endpoint: Endpoint, record: SessionRecord) -> int:
    """Attach to a detached session; return its exit code, or 0 when the user leaves it again."""
    from pyd_tui.shell import detached_sessions

    return detached_sessions.attach(endpoint, record, TerminalIO())
