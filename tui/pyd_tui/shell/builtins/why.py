"""`why`: triage's verdict on the target."""

from __future__ import annotations

import click

from pyd_core.triage.api import explain
from pyd_core.triage.text_report import describe
from pyd_tui.console.output import write, write_json
from pyd_tui.shell.builtins.asking import ask
from pyd_tui.shell.command import BuiltinCommand
from pyd_tui.shell.interactive_shell import ShellContext, pass_shell


@click.command(
    "why",
    cls=BuiltinCommand,
    examples=(("why", "the verdict with its evidence"), ("why --json | jq -r .cause", "its id")),
)
@pass_shell
def command(shell: ShellContext, /) -> None:
    """Explain why the target died or what is wrong with it, with evidence and advice."""
    verdict = ask(shell, explain)
    if shell.json:
        write_json(verdict)
    else:
        write(f"{describe(verdict)}\n")
