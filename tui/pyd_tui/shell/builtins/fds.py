"""`fds`: a process's open files."""

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
    TableColumn(title="TARGET", cut=40, wrap=True),
)


@click.command(
    "fds",
    cls=BuiltinCommand,
    examples=(("fds", "of the main process"), ("fds 8 --json | jq '.[] | select(.kind==\"deleted\")'", "of another")),
)
@pid_argument
@pass_shell
def command(shell: ShellContext, /, *, pid: int | None) -> None:
    """List a process's open files, sockets and pipes."""
    descriptors = list_descriptors(shell.access, process_of(shell, pid))
    if shell.json:
        write_json(descriptors)
        return
    write_table(COLUMNS, [_row(descriptor) for descriptor in descriptors])


def _row(descriptor: Descriptor) -> list[Cell]:
    target = descriptor.target
    if descriptor.socket is not None:
        local = (
            f"{descriptor.socket.local}:{descriptor.socket.port}" if descriptor.socket.port else descriptor.socket.local
        )
        remote = f" to {descriptor.socket.remote}:{descriptor.socket.remote_port}" if descriptor.socket.remote else ""
        target = f"{descriptor.socket.protocol} {descriptor.socket.state} {local}{remote}"
    return [
        Cell(str(descriptor.number)),
        Cell(descriptor.kind, "yellow" if descriptor.kind == "deleted" else ""),
        Cell(descriptor.access),
        Cell(str(descriptor.position or "")),
        Cell(target),
    ]
