"""`mounts`: the target's mounts and their sources."""

from __future__ import annotations

import click

from pyd_core.debug.inspectors.mounts import MountFacts, list_mounts
from pyd_tui.console.columns import Cell, TableColumn, write_table
from pyd_tui.console.output import write_json
from pyd_tui.shell.command import BuiltinCommand
from pyd_tui.shell.interactive_shell import ShellContext, pass_shell

COLUMNS = (
    TableColumn(title="PATH", cut=24, wrap=True),
    TableColumn(title="FROM"),
    TableColumn(title="MODE"),
    TableColumn(title="FILE SYSTEM", rank=1),
    TableColumn(title="SOURCE", cut=30, wrap=True),
    TableColumn(title="OPTIONS", rank=3, cut=20, wrap=True),
    TableColumn(title="PROPAGATION", rank=2),
)


@click.command(
    "mounts",
    cls=BuiltinCommand,
    examples=(("mounts", "the root, volumes and binds"), ("mounts -a", "the kernel's and the engine's too")),
)
@click.option("-a", "--all", is_flag=True, help="Also mounts of the kernel and the engine.")
@pass_shell
def command(shell: ShellContext, /, *, all: bool) -> None:
    """List the target's mounts, with their sources on the host."""
    mounts = [mount for mount in list_mounts(shell.access) if all or mount.origin not in ("kernel", "engine")]
    if shell.json:
        write_json(mounts)
        return
    write_table(COLUMNS, [_row(mount) for mount in mounts])


def _row(mount: MountFacts) -> list[Cell]:
    return [
        Cell(mount.path),
        Cell(mount.origin),
        Cell("ro" if mount.read_only else "rw", "yellow" if mount.read_only else ""),
        Cell(mount.kind),
        Cell(mount.volume or mount.source),
        Cell(",".join(mount.options)),
        Cell(mount.propagation),
    ]
