"""`detach`: leaving a session that goes on."""

from __future__ import annotations

import click

from pyd_tui.shell.command import BuiltinCommand
from pyd_tui.shell.interactive_shell import ShellContext, pass_shell


@click.command(
    "detach",
    cls=BuiltinCommand,
    json=False,
    examples=(("detach", "and come back with: pyd debug attach ID"),),
)
@pass_shell
def command(shell: ShellContext, /) -> None:
    """Leave a session that was begun with `pyd debug --detach`; its jobs go on."""
    shell.interactive().detach()
