"""`maps`: a process's memory by file."""

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
    TableColumn(title="FILE", cut=30, wrap=True),
)


@click.command(
    "maps",
    cls=BuiltinCommand,
    examples=(("maps", "of the main process, by file"), ("maps 8 --json | jq '.[0]'", "the largest mapping of 8")),
)
@pid_argument
@pass_shell
def command(shell: ShellContext, /, *, pid: int | None) -> None:
    """Show a process's memory mappings by file, largest first."""
    mappings = list_mappings(shell.access, process_of(shell, pid))
    if shell.json:
        write_json(mappings)
        return
    write_table(COLUMNS, [_row(mapping) for mapping in mappings])


def _row(mapping: Mapping) -> list[Cell]:
    sizes = (mapping.rss, mapping.pss, mapping.dirty)
    return [
        *(Cell(size(number)) for number in sizes),
        Cell(size(mapping.swap) if mapping.swap else ""),
        Cell(size(mapping.size)),
        Cell(str(mapping.count)),
        Cell(mapping.permissions),
        Cell(mapping.name),
    ]
