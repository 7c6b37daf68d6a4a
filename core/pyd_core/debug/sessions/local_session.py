"""A debug session in a process of this machine."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

from pyd_core.debug.plan import make_plan
from pyd_core.debug.sessions.debug_session import DebugSession
from pyd_core.debug.sessions.request import SessionRequest
from pyd_core.debug.sessions.supervisor_process import Supervisor
from pyd_core.debug.target import LocalTarget

if TYPE_CHECKING:
    from pyd_core.debug.user_io import UserIO


def run_in_target(
    target: LocalTarget, request: SessionRequest, toolbox: str, supervisor: Supervisor, io: UserIO
) -> tuple[int, bool]:
    """Run a session in a process of this machine; return the exit code, and whether the target ended."""
    conversing = request.interact is not None
    terminal = conversing or (os.isatty(0) and os.isatty(1))
    plan = make_plan(target, request.options, toolbox, terminal=terminal, conversing=conversing)
    if request.options.explain:
        from pyd_core.debug.explain import explain  # noqa: PLC0415 - only --explain needs it

        for line in explain(target, plan):
            io.notify(line)
    session = DebugSession(target, supervisor, plan)
    session.on_line = io.notify
    code = session.run() if request.interact is None else request.interact(session)
    if plan["confined"] and code == 128 + signal.SIGSYS:
        io.notify(f"a seccomp filter ended the command: {target.name} may not make its system calls; --as root may")
    return code, session.target_ended
