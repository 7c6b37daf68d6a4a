"""`builtins`: the shell's own commands."""

from __future__ import annotations

import click

from pyd_tui.console.columns import Cell, TableColumn, write_table
from pyd_tui.console.output import write_json
from pyd_tui.shell.builtin_table import BUILTINS
from pyd_tui.shell.command import BuiltinCommand
from pyd_tui.shell.interactive_shell import ShellContext, pass_shell


@click.command("builtins", cls=BuiltinCommand, examples=(("builtins", "list all"), ("builtins --json", "for programs")))
@pass_shell
def command(shell: ShellContext, /) -> None:
    """List the shell's own commands. Run one with --help to learn more."""
    if shell.json:
        write_json([{"name": name, "summary": builtin.summary} for name, builtin in BUILTINS.items()])
        return
    write_table(
        (TableColumn(title="BUILTIN"), TableColumn(title="WHAT IT DOES")),
        [(Cell(name, "bold"), Cell(builtin.summary)) for name, builtin in sorted(BUILTINS.items())],
    )
