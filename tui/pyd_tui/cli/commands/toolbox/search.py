"""`pyd toolbox search`."""

from __future__ import annotations

import click

from pyd_tui.console.columns import Cell, TableColumn, write_table
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state
from pyd_tui.console.output import write_json

COLUMNS = (TableColumn(title="NAME"), TableColumn(title="WHAT", cut=20))


@click.command("search", cls=PydCommand, examples=(("pyd toolbox search dns", "search packs and packages"),))
@click.argument("words", nargs=-1, required=True, metavar="WORD...")
@pass_state
def command(state: State, /, *, words: tuple[str, ...]) -> None:
    """Search packs and Debian packages."""
    from pyd_core.debug.toolbox import manage

    matches = manage.search(words)
    if state.json:
        write_json([{"name": name, "summary": summary} for name, summary in matches])
    else:
        write_table(COLUMNS, [(Cell(name), Cell(summary)) for name, summary in matches])
