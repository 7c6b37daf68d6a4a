"""The way from the command line into the debug shell: the only module of the CLI that imports it, when it is needed."""

from __future__ import annotations

from pyd_tui.console.prompts import ProgressReporter, answer, notify

TYPE_CHECKING = False  # as type checkers know it; loading `typing` would delay short sessions
if TYPE_CHECKING:
    from pyd_core.client.endpoint import Endpoint
    from pyd_core.debug.options import DebugOptions
    from pyd_core.debug.sessions.record import SessionRecord
    from pyd_core.debug.supervisor import Supervisor


def run_shell(
    endpoint: Endpoint,
    options: DebugOptions,
    supervisor: Supervisor,
    *,
    progress: ProgressReporter,
    record: str | None = None,
) -> int:
    """Run the debug shell on this process's terminal and return its exit code."""
    from pyd_tui.shell import shell_runner

    return shell_runner.run_shell(
        endpoint, options, supervisor, notify=notify, progress=progress, ask=answer, record=record
    )


def run_builtin(endpoint: Endpoint, options: DebugOptions, line: str) -> int:
    """Run a line that calls a builtin of the debug shell and return its exit code."""
    from pyd_tui.shell.run_builtin import run_once

    progress = ProgressReporter()
    try:
        return run_once(endpoint, options, line, notify=notify, progress=progress)
    finally:
        progress.stop()


def detach(endpoint: Endpoint, options: DebugOptions, *, ttl: float) -> tuple[str, int]:
    """Start a detached session; return its id, or an empty one and the exit code of its failure."""
    from pyd_tui.shell import detached_sessions

    return detached_sessions.detach(endpoint, options, ttl=ttl, notify=notify, progress=ProgressReporter())


def attach(endpoint: Endpoint, record: SessionRecord) -> int:
    """Attach to a detached session; return its exit code, or 0 when the user leaves it again."""
    from pyd_tui.shell import detached_sessions

    return detached_sessions.attach(endpoint, record, notify=notify, progress=ProgressReporter(), ask=answer)
