"""`mounts`: what is mounted in the target, and where it comes from."""

from __future__ import annotations

import click

from pyd_core.debug.inspectors.mounts import MountFacts, list_mounts
from pyd_tui.console.columns import Cell, TableColumn, write_table
from pyd_tui.console.output import write_json
from pyd_tui.shell.command import BuiltinCommand
from pyd_tui.shell.interactive_shell import ShellContext, pass_shell

COLUMNS = (
    TableColumn(title="PATH", cut=24),
    TableColumn(title="FROM"),
    TableColumn(title="MODE"),
    TableColumn(title="FILE SYSTEM", rank=1),
    TableColumn(title="SOURCE", cut=30),
    TableColumn(title="OPTIONS", rank=3, cut=20),
    TableColumn(title="PROPAGATION", rank=2),
)


@click.command(
    "mounts",
    cls=BuiltinCommand,
    examples=(("mounts", "the root, volumes and binds"), ("mounts -a", "the kernel's and the engine's too")),
)
@click.option("-a", "--all", is_flag=True, help="Also what the kernel and the engine put there.")
@pass_shell
def command(shell: ShellContext, /, *, all: bool) -> None:
    """List what is mounted in the target, with its source on the host."""
    found = [one for one in list_mounts(shell.access) if all or one.origin not in ("kernel", "engine")]
    if shell.json:
        write_json(found)
        return
    write_table(COLUMNS, [_row(one) for one in found])


def _row(one: MountFacts) -> list[Cell]:
    return [
        Cell(one.path),
        Cell(one.origin),
        Cell("ro" if one.read_only else "rw", "yellow" if one.read_only else ""),
        Cell(one.kind),
        Cell(one.volume or one.source),
        Cell(",".join(one.options)),
        Cell(one.propagation),
    ]
