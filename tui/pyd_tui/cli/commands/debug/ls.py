"""`pyd debug ls`."""

from __future__ import annotations

import time

import click

from pyd_core.humanize import age
from pyd_tui.console.columns import Cell, TableColumn, write_table
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state
from pyd_tui.console.output import write_json

COLUMNS = (
    TableColumn(title="ID"),
    TableColumn(title="CONTAINER", cut=16),
    TableColumn(title="AS"),
    TableColumn(title="AGE", right=True),
    TableColumn(title="STATE"),
    TableColumn(title="PID", right=True, rank=1),
)
KEYS = ("id", "container", "container_id", "engine", "pid", "created", "detachable", "attached", "ttl")


@click.command(
    "ls",
    cls=PydCommand,
    examples=(
        ("pyd debug ls", "list detached sessions, and those with a terminal of their own"),
        ("pyd debug ls --json", "list them for programs"),
        ("pyd debug container:ls", "open a shell in a container named ls"),
    ),
)
@pass_state
def command(state: State, /) -> None:
    """List your debug sessions on this machine."""
    from pyd_core.debug.sessions.record import list_sessions

    sessions = list_sessions()
    if state.json:
        write_json(
            [
                {key: getattr(session, key) for key in KEYS} | {"identity": session.options.identity}
                for session in sessions
            ]
        )
        return
    now = time.time()
    write_table(
        COLUMNS,
        [
            (
                Cell(session.id, "bold"),
                Cell(session.container),
                Cell(session.options.identity),
                Cell(age(now - session.created)),
                Cell("own terminal" if not session.detachable else "attached" if session.attached else "detached"),
                Cell(str(session.pid)),
            )
            for session in sessions
        ],
    )
