"""The supervisor process of a debug session, started before `pyd debug` loads anything.

A fork copies the memory of a process, and pages that either side writes to later are copied again. Forking first makes
it a tenth of a session's start. A command line that needs no session, such as `--help`, ends the supervisor by ending
itself, or early with `drop` if it runs longer.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False  # as type checkers know it; loading `typing` would keep the fork waiting
if TYPE_CHECKING:
    from pyd_core.debug.sessions.supervisor_process import Supervisor

_supervisors: list[Supervisor] = []


def start(*, certain: bool) -> None:
    """Start the supervisor, unless a standard stream is closed, whose descriptor its socket would take.

    Args:
        certain: Prepare for the session, because there will be one.
    """
    if None not in (sys.stdin, sys.stdout, sys.stderr):
        supervisor = _new()
        _supervisors.append(supervisor.prepare() if certain else supervisor)


def take_supervisor() -> Supervisor:
    """Return the supervisor that was started, or a new one; the caller closes it."""
    started = _supervisors.pop() if _supervisors else _new()
    return started if started.prepared else started.prepare()


def drop() -> None:
    """End the supervisor that was started, for a command line that may take long and doesn't use it."""
    while _supervisors:
        _supervisors.pop().drop()


def _new() -> Supervisor:
    from pyd_core.debug.sessions.supervisor_process import Supervisor

    return Supervisor()
