"""`detach`: leave a session, which keeps running."""

from __future__ import annotations

import click

from pyd_tui.shell.command import BuiltinCommand
from pyd_tui.shell.interactive_shell import ShellContext, pass_shell


@click.command(
    "detach",
    cls=BuiltinCommand,
    json=False,
    examples=(("detach", "attach again with: pyd debug attach ID"),),
)
@pass_shell
def command(shell: ShellContext, /) -> None:
    """Leave a session that was started with `pyd debug --detach`; its jobs keep running."""
    shell.interactive().detach()
