"""`pyd debug end`."""

from __future__ import annotations

import os
import select
import signal
import sys

import click

from pyd_core.errors import PydError
from pyd_core.sanitise import safe
from pyd_tui.console.command import PydCommand
from pyd_tui.console.output import write

END_TIMEOUT_S = 10.0


@click.command(
    "end",
    cls=PydCommand,
    json=False,
    examples=(
        ("pyd debug end 4f2a9c", "end a session and its processes"),
        ("pyd debug end web", "end the only session in web"),
    ),
)
@click.argument("sessions", metavar="ID|CONTAINER...", nargs=-1, required=True)
def command(sessions: tuple[str, ...]) -> int:
    """End debug sessions and their processes."""
    from pyd_core.debug.sessions.record import find_session
    from pyd_tui.console import failures

    code = 0
    for name in sessions:
        try:
            record = find_session(name)
            _end(record.pid, record.start)
        except PydError as error:
            failures.report(error)
            code = failures.exit_code(error)
        else:
            write(f"{safe(record.id)}\n")
            sys.stdout.flush()
    return code


def _end(pid: int, start: int) -> None:
    from pyd_core.linux.process import is_alive

    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        if is_alive(pid, start):  # checked after opening, so the descriptor is that process's
            signal.pidfd_send_signal(process, signal.SIGTERM)
            if not select.select([process], [], [], END_TIMEOUT_S)[0]:
                raise PydError(f"the session's process {pid} doesn't end", hint=f"see: ps -p {pid}")
    finally:
        os.close(process)
