"""`fds`: what a process of the target has open."""

from __future__ import annotations

import click

from pyd_core.debug.inspectors.descriptors import Descriptor, list_descriptors
from pyd_tui.console.columns import Cell, TableColumn, write_table
from pyd_tui.console.output import write_json
from pyd_tui.shell.builtins.process import pid_argument, process_of
from pyd_tui.shell.command import BuiltinCommand
from pyd_tui.shell.interactive_shell import ShellContext, pass_shell

COLUMNS = (
    TableColumn(title="FD", right=True),
    TableColumn(title="KIND"),
    TableColumn(title="MODE", rank=1),
    TableColumn(title="AT", right=True, rank=2),
    TableColumn(title="WHAT", cut=40),
)


@click.command(
    "fds",
    cls=BuiltinCommand,
    examples=(("fds", "of the main process"), ("fds 8 --json | jq '.[] | select(.kind==\"deleted\")'", "of another")),
)
@pid_argument
@pass_shell
def command(shell: ShellContext, /, *, pid: int | None) -> None:
    """List the files, sockets and pipes that a process has open."""
    found = list_descriptors(shell.access, process_of(shell, pid))
    if shell.json:
        write_json(found)
        return
    write_table(COLUMNS, [_row(one) for one in found])


def _row(one: Descriptor) -> list[Cell]:
    what = one.target
    if one.socket is not None:
        local = f"{one.socket.local}:{one.socket.port}" if one.socket.port else one.socket.local
        remote = f" to {one.socket.remote}:{one.socket.remote_port}" if one.socket.remote else ""
        what = f"{one.socket.protocol} {one.socket.state} {local}{remote}"
    return [
        Cell(str(one.number)),
        Cell(one.kind, "yellow" if one.kind == "deleted" else ""),
        Cell(one.access),
        Cell(str(one.position or "")),
        Cell(what),
    ]
