"""The way from the command line into the debug shell: the only module of the CLI that imports it, when it is needed."""

from __future__ import annotations

from pyd_tui.console.prompts import TerminalIO

TYPE_CHECKING = False  # as type checkers know it; loading `typing` would delay short sessions
if TYPE_CHECKING:
    from pyd_core.client.endpoint import Endpoint
    from pyd_core.debug.options import DebugOptions
    from pyd_core.debug.sessions.record import SessionRecord
    from pyd_core.debug.sessions.request import SessionRequest
    from pyd_core.debug.sessions.supervisor_process import Supervisor


def run_shell(request: SessionRequest, supervisor: Supervisor, io: TerminalIO, *, record: str | None = None) -> int:
    """Run the debug shell on this process's terminal and return its exit code."""
    from pyd_tui.shell import shell_runner

    return shell_runner.run_shell(request, supervisor, io, record=record)


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
