"""What `pyd debug` starts before it loads anything: the process that will carry its session out.

A fork copies what a process has, and what both go on to write to is copied once more; done first, it costs a tenth of
the time that a session takes to begin. Command lines that come to no session, as one that asks for help, end it by
ending themselves, or at once where they go on (`drop`).
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False  # as type checkers know it; loading `typing` would keep the fork waiting
if TYPE_CHECKING:
    from pyd_core.debug.supervisor import Supervisor

_supervisors: list[Supervisor] = []


def start(*, certain: bool) -> None:
    """Starts it, unless the caller has closed a standard stream: its socket must not become that.

    Args:
        certain: There will be a session, so it may prepare for it.
    """
    if None not in (sys.stdin, sys.stdout, sys.stderr):
        supervisor = _new()
        _supervisors.append(supervisor.prepare() if certain else supervisor)


def take_supervisor() -> Supervisor:
    """Returns the one that was started, a new one where none was; the caller closes it."""
    started = _supervisors.pop() if _supervisors else _new()
    return started if started.prepared else started.prepare()


def drop() -> None:
    """Ends the one that was started, for a command line that may take long and has no use for it."""
    while _supervisors:
        _supervisors.pop().drop()


def _new() -> Supervisor:
    from pyd_core.debug.supervisor import Supervisor

    return Supervisor()
