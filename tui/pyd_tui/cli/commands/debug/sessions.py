"""`pyd debug ls`, `attach` and `end`: the debug sessions of this machine."""

from __future__ import annotations

import os
import select
import signal
import sys
import time

import click

from pyd_core.errors import InvalidInput, PydError
from pyd_core.sanitise import safe
from pyd_tui.cli.global_options import State, pass_state
from pyd_tui.console.columns import Cell, TableColumn, write_table
from pyd_tui.console.command import Verb
from pyd_tui.console.output import write, write_json
from pyd_tui.console.prompts import ProgressReporter, answer, notify
from pyd_tui.text.ages import age

COLUMNS = (
    TableColumn(title="ID"),
    TableColumn(title="CONTAINER", cut=16),
    TableColumn(title="AS"),
    TableColumn(title="AGE", right=True),
    TableColumn(title="STATE"),
    TableColumn(title="PID", right=True, rank=1),
)
PATIENCE = 10.0
"""Seconds that a session has to end."""


@click.command(
    "ls",
    cls=Verb,
    examples=(
        ("pyd debug ls", "all of them, also those with a terminal of their own"),
        ("pyd debug ls --json", "for programs"),
        ("pyd debug container:ls", "a shell in a container that is called so"),
    ),
)
@pass_state
def show(state: State, /) -> None:
    """List your debug sessions on this machine."""
    from pyd_core.debug.sessions.record import list_sessions  # noqa: PLC0415 - help doesn't need it

    found = list_sessions()
    if state.json:
        keys = ("id", "container", "container_id", "engine", "pid", "created", "detachable", "attached", "ttl")
        write_json([{key: getattr(each, key) for key in keys} | {"identity": each.options.identity} for each in found])
        return
    now = time.time()
    write_table(
        COLUMNS,
        [
            (
                Cell(each.id, "bold"),
                Cell(each.container),
                Cell(each.options.identity),
                Cell(age(now - each.created)),
                Cell("own terminal" if not each.detachable else "attached" if each.attached else "detached"),
                Cell(str(each.pid)),
            )
            for each in found
        ],
    )


@click.command(
    "attach",
    cls=Verb,
    json=False,
    examples=(("pyd debug attach 4f2a9c", "'detach' leaves it again"), ("pyd debug attach web", "its only session")),
)
@click.argument("session", metavar="ID|CONTAINER")
@pass_state
def attach(state: State, /, *, session: str) -> int:
    """Come back to a session that was begun with --detach."""
    from pyd_core.debug.sessions.record import find_session  # noqa: PLC0415 - help doesn't need it
    from pyd_tui.shell import detached_sessions  # noqa: PLC0415 - likewise

    if not (os.isatty(0) and os.isatty(1)):
        raise InvalidInput("attaching takes a terminal")
    record = find_session(session)
    state.hosts = state.hosts or (record.engine,)
    return detached_sessions.attach(state.endpoint(), record, notify=notify, progress=ProgressReporter(), ask=answer)


@click.command(
    "end",
    cls=Verb,
    json=False,
    examples=(("pyd debug end 4f2a9c", "and all that runs in it"), ("pyd debug end web", "its only session")),
)
@click.argument("sessions", metavar="ID|CONTAINER...", nargs=-1, required=True)
def end(sessions: tuple[str, ...]) -> int:
    """End debug sessions and what runs in them."""
    from pyd_core.debug.sessions.record import find_session  # noqa: PLC0415 - help doesn't need it
    from pyd_tui.console import failures  # noqa: PLC0415 - likewise

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
    from pyd_core.linux.process import is_alive  # noqa: PLC0415 - help doesn't need it

    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        if is_alive(pid, start):  # after the descriptor is open: it is that process's
            signal.pidfd_send_signal(process, signal.SIGTERM)
            if not select.select([process], [], [], PATIENCE)[0]:
                raise PydError(f"the session's process {pid} doesn't end", hint=f"see: ps -p {pid}")
    finally:
        os.close(process)
