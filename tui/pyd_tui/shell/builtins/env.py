"""`env`: the environment a process of the target was started with."""

from __future__ import annotations

import click

from pyd_core.debug.inspectors.variables import read_variables
from pyd_tui.console.columns import Cell, TableColumn, write_table
from pyd_tui.console.output import write_json
from pyd_tui.shell.builtins.process import pid_argument, process_of
from pyd_tui.shell.command import BuiltinCommand
from pyd_tui.shell.interactive_shell import ShellContext, pass_shell

COLUMNS = (TableColumn(title="NAME"), TableColumn(title="VALUE", cut=40), TableColumn(title="FROM", rank=1))
_FROM = {True: "configuration", False: "", None: ""}


@click.command(
    "env",
    cls=BuiltinCommand,
    examples=(
        ("env", "of the main process; what looks secret is left out"),
        ("env --show 8", "of process 8, secrets too"),
        ("env --json | jq -r '.[].name'", "for programs"),
    ),
)
@pid_argument
@click.option("--show", is_flag=True, help="Show secrets too.")
@pass_shell
def command(shell: ShellContext, /, *, pid: int | None, show: bool) -> None:
    """Show a process's environment as it was started with; values that look secret are left out."""
    if not shell.access.container.state.pid and pid is None and shell.access.container.id:
        from pyd_core.debug.inspectors.variables import configured_variables  # noqa: PLC0415 - only what doesn't run

        found = configured_variables(shell.access.container, show=show)
    else:
        found = read_variables(shell.access, process_of(shell, pid), show=show)
    if shell.json:
        write_json(found)
        return
    write_table(
        COLUMNS,
        [[Cell(one.name), Cell(one.value, "dim" if one.masked else ""), Cell(_FROM[one.configured])] for one in found],
    )
