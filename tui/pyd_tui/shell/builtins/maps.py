"""`maps`: what a process of the target has in its memory."""

from __future__ import annotations

import click

from pyd_core.debug.inspectors.memory_maps import Mapping, list_mappings
from pyd_core.humanize import size
from pyd_tui.console.columns import Cell, TableColumn, write_table
from pyd_tui.console.output import write_json
from pyd_tui.shell.builtins.process import pid_argument, process_of
from pyd_tui.shell.command import BuiltinCommand
from pyd_tui.shell.interactive_shell import ShellContext, pass_shell

COLUMNS = (
    TableColumn(title="RSS", right=True),
    TableColumn(title="PSS", right=True, rank=1),
    TableColumn(title="DIRTY", right=True, rank=2),
    TableColumn(title="SWAP", right=True, rank=3),
    TableColumn(title="SIZE", right=True, rank=1),
    TableColumn(title="PARTS", right=True, rank=4),
    TableColumn(title="MODE", rank=2),
    TableColumn(title="WHAT", cut=30),
)


@click.command(
    "maps",
    cls=BuiltinCommand,
    examples=(("maps", "of the main process, by file"), ("maps 8 --json | jq '.[0]'", "what takes most memory of 8")),
)
@pid_argument
@pass_shell
def command(shell: ShellContext, /, *, pid: int | None) -> None:
    """Show what a process has mapped, by file, what takes most memory first."""
    found = list_mappings(shell.access, process_of(shell, pid))
    if shell.json:
        write_json(found)
        return
    write_table(COLUMNS, [_row(one) for one in found])


def _row(one: Mapping) -> list[Cell]:
    sizes = (one.rss, one.pss, one.dirty)
    return [
        *(Cell(size(number)) for number in sizes),
        Cell(size(one.swap) if one.swap else ""),
        Cell(size(one.size)),
        Cell(str(one.count)),
        Cell(one.permissions),
        Cell(one.name),
    ]
