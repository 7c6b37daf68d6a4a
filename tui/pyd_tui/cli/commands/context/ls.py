"""`pyd context ls`."""

from __future__ import annotations

import os

import click

from pyd_core.client.contexts import DEFAULT, Contexts
from pyd_tui.cli.objects.contexts import current_context
from pyd_tui.console.columns import Cell, TableColumn, write_table
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state
from pyd_tui.console.output import write_json

COLUMNS = (
    TableColumn(title="", right=True),
    TableColumn(title="NAME"),
    TableColumn(title="ENGINE", cut=20),
    TableColumn(title="DESCRIPTION", cut=12, rank=1),
)


@click.command("ls", cls=PydCommand, examples=(("pyd context ls", "list contexts, the current one marked"),))
@pass_state
def command(state: State, /) -> None:
    """List contexts."""
    current = current_context(state)
    rows = [
        (DEFAULT, os.environ.get("DOCKER_HOST") or "", "DOCKER_HOST, else the usual sockets"),
        *((context.name, context.url, context.description) for context in Contexts.of_user(os.environ).list()),
    ]
    if state.json:
        write_json(
            [
                {"name": name, "url": url, "description": description, "current": name == current}
                for name, url, description in rows
            ]
        )
        return
    cells = [
        (
            Cell("*" if name == current else ""),
            Cell(name, "bold" if name == current else ""),
            Cell(url),
            Cell(description),
        )
        for name, url, description in rows
    ]
    write_table(COLUMNS, cells, hide_empty=False)
