"""`limits`: a process's resource limits."""

from __future__ import annotations

import click

from pyd_core.debug.inspectors.limits import ProcessLimit, read_limits
from pyd_core.humanize import size
from pyd_tui.console.columns import Cell, TableColumn, write_table
from pyd_tui.console.output import write_json
from pyd_tui.shell.builtins.process import pid_argument, process_of
from pyd_tui.shell.command import BuiltinCommand
from pyd_tui.shell.interactive_shell import ShellContext, pass_shell

COLUMNS = (
    TableColumn(title="LIMIT"),
    TableColumn(title="USED", right=True),
    TableColumn(title="SOFT", right=True),
    TableColumn(title="HARD", right=True),
    TableColumn(title="UNIT", rank=1),
)


@click.command(
    "limits", cls=BuiltinCommand, examples=(("limits", "of the main process"), ("limits 8 --json", "of another"))
)
@pid_argument
@pass_shell
def command(shell: ShellContext, /, *, pid: int | None) -> None:
    """Show a process's resource limits (ulimit), and its usage where that is known."""
    limits = read_limits(shell.access, process_of(shell, pid))
    if shell.json:
        write_json(limits)
        return
    write_table(COLUMNS, [_row(limit) for limit in limits])


def _row(limit: ProcessLimit) -> list[Cell]:
    def formatted(number: int | None) -> str:
        if number is None:
            return "none"
        return size(number) if limit.unit == "bytes" else str(number)

    used = "" if limit.used is None else formatted(limit.used)
    return [
        Cell(limit.name),
        Cell(used, "bold red" if limit.near else ""),
        Cell(formatted(limit.soft)),
        Cell(formatted(limit.hard)),
        Cell(limit.unit),
    ]
