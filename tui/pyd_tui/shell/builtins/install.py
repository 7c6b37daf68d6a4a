"""`install`: add tools without restarting sessions."""

from __future__ import annotations

import os

import click

from pyd_core.debug.toolbox import manage
from pyd_core.debug.toolbox.refresh import refresh_sessions
from pyd_tui.console.output import write_json
from pyd_tui.shell.builtins.making import with_progress
from pyd_tui.shell.builtins.named import PackName
from pyd_tui.shell.command import BuiltinCommand
from pyd_tui.shell.interactive_shell import ShellContext, pass_shell


@click.command("install", cls=BuiltinCommand, examples=(("install net", "a pack"), ("install socat", "a package")))
@click.argument("names", type=PackName(installed=False), nargs=-1, required=True, metavar="NAME...")
@pass_shell
def command(shell: ShellContext, /, *, names: tuple[str, ...]) -> None:
    """Add packs or Debian packages to the running sessions of this shell and to future ones."""
    toolbox = with_progress(lambda progress: manage.install(names, progress))
    if shell.interactive_shell is not None:
        shell.interactive_shell.forget_tools()
    refreshed = refresh_sessions(toolbox) if os.geteuid() == 0 else 0
    if shell.json:
        write_json({"toolbox": toolbox, "sessions": refreshed})
    elif not refreshed:
        click.echo("pyd: new sessions will have it", err=True)
