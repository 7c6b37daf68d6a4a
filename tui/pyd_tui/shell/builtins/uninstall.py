"""`uninstall`: remove tools from future sessions."""

from __future__ import annotations

import click

from pyd_core.debug.toolbox import manage
from pyd_tui.console.output import write_json
from pyd_tui.shell.builtins.making import with_progress
from pyd_tui.shell.builtins.named import PackName
from pyd_tui.shell.command import BuiltinCommand
from pyd_tui.shell.interactive_shell import ShellContext, pass_shell


@click.command("uninstall", cls=BuiltinCommand, examples=(("uninstall net", "a pack"),))
@click.argument("names", type=PackName(installed=True), nargs=-1, required=True, metavar="NAME...")
@pass_shell
def command(shell: ShellContext, /, *, names: tuple[str, ...]) -> None:
    """Remove packs or packages; running sessions keep theirs."""
    toolbox = with_progress(lambda progress: manage.uninstall(names, progress))
    if shell.json:
        write_json({"toolbox": toolbox})
