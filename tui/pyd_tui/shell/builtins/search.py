"""`search`: find tools to install."""

from __future__ import annotations

import click

from pyd_core.debug.toolbox import manage
from pyd_tui.console.columns import Cell, TableColumn, write_table
from pyd_tui.console.output import write_json
from pyd_tui.shell.command import BuiltinCommand
from pyd_tui.shell.interactive_shell import ShellContext, pass_shell

COLUMNS = (TableColumn(title="NAME"), TableColumn(title="SUMMARY", cut=20, wrap=True))


@click.command("search", cls=BuiltinCommand, examples=(("search dns", "packs and packages"),))
@click.argument("words", nargs=-1, required=True, metavar="WORD...")
@pass_shell
def command(shell: ShellContext, /, *, words: tuple[str, ...]) -> None:
    """Find packs and Debian packages by words in their names and summaries."""
    matches = manage.search(words)
    if shell.json:
        write_json([{"name": name, "summary": summary} for name, summary in matches])
    else:
        write_table(COLUMNS, [(Cell(name), Cell(summary)) for name, summary in matches])
