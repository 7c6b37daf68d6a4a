"""`builtins`: what the shell can do that no program does."""

from __future__ import annotations

import click

from pyd_tui.cli.columns import Cell, Column, write_table
from pyd_tui.cli.output import write_json
from pyd_tui.shell.command import BuiltinCommand
from pyd_tui.shell.context import ShellContext, pass_shell
from pyd_tui.shell.table import BUILTINS


@click.command(
    "builtins", cls=BuiltinCommand, examples=(("builtins", "all of them"), ("builtins --json", "for programs"))
)
@pass_shell
def command(shell: ShellContext, /) -> None:
    """List the shell's own commands. Each explains itself with --help."""
    if shell.json:
        write_json([{"name": name, "summary": builtin.summary} for name, builtin in BUILTINS.items()])
        return
    write_table(
        (Column(title="BUILTIN"), Column(title="WHAT IT DOES")),
        [(Cell(name, "bold"), Cell(builtin.summary)) for name, builtin in sorted(BUILTINS.items())],
    )
