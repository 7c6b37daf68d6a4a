"""`pyd debug attach`."""

from __future__ import annotations

import os

import click

from pyd_core.errors import InvalidInput
from pyd_tui.cli import shell_entry
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state


@click.command(
    "attach",
    cls=PydCommand,
    json=False,
    examples=(
        ("pyd debug attach 4f2a9c", "attach to a session; 'detach' leaves it again"),
        ("pyd debug attach web", "attach to the only session in web"),
    ),
)
@click.argument("session", metavar="ID|CONTAINER")
@pass_state
def command(state: State, /, *, session: str) -> int:
    """Attach to a session that was started with --detach."""
    from pyd_core.debug.sessions.record import find_session

    if not (os.isatty(0) and os.isatty(1)):
        raise InvalidInput("attaching needs a terminal")
    record = find_session(session)
    state.hosts = state.hosts or (record.engine,)
    return shell_entry.attach(state.endpoint(), record)
