"""`env`: the environment that a process of the target was started with."""

from __future__ import annotations

import click

from pyd_core.debug.inspectors.variables import read_variables
from pyd_tui.console.columns import Cell, TableColumn, write_table
from pyd_tui.console.output import write_json
from pyd_tui.shell.builtins.process import pid_argument, process_of
from pyd_tui.shell.command import BuiltinCommand
from pyd_tui.shell.interactive_shell import ShellContext, pass_shell

COLUMNS = (TableColumn(title="NAME"), TableColumn(title="VALUE", cut=40, wrap=True), TableColumn(title="FROM", rank=1))
_FROM = {True: "configuration", False: "", None: ""}


@click.command(
    "env",
    cls=BuiltinCommand,
    examples=(
        ("env", "of the main process, without likely secrets"),
        ("env --show 8", "of process 8, secrets too"),
        ("env --json | jq -r '.[].name'", "for programs"),
    ),
)
@pid_argument
@click.option("--show", is_flag=True, help="Show secrets too.")
@pass_shell
def command(shell: ShellContext, /, *, pid: int | None, show: bool) -> None:
    """Show the environment that a process was started with; likely secrets are left out."""
    if not shell.access.container.state.pid and pid is None and shell.access.container.id:
        from pyd_core.debug.inspectors.variables import configured_variables  # noqa: PLC0415 - only for stopped targets

        variables = configured_variables(shell.access.container, show=show)
    else:
        variables = read_variables(shell.access, process_of(shell, pid), show=show)
    if shell.json:
        write_json(variables)
        return
    write_table(
        COLUMNS,
        [
            [
                Cell(variable.name),
                Cell(variable.value, "dim" if variable.masked else ""),
                Cell(_FROM[variable.configured]),
            ]
            for variable in variables
        ],
    )
