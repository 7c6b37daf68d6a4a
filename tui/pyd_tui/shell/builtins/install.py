"""`install`: more tools, at once."""

from __future__ import annotations

import os

import click

from pyd_core.debug.toolbox import manage
from pyd_core.debug.toolbox.refresh import refresh_sessions
from pyd_tui.console.output import write_json
from pyd_tui.shell.builtins.making import told
from pyd_tui.shell.builtins.named import PackName
from pyd_tui.shell.command import BuiltinCommand
from pyd_tui.shell.interactive_shell import ShellContext, pass_shell


@click.command("install", cls=BuiltinCommand, examples=(("install net", "a pack"), ("install socat", "a package")))
@click.argument("names", type=PackName(installed=False), nargs=-1, required=True, metavar="NAME...")
@pass_shell
def command(shell: ShellContext, /, *, names: tuple[str, ...]) -> None:
    """Add packs or any Debian packages: to sessions that this shell has running, and to the next ones."""
    folder = told(lambda progress: manage.install(names, progress))
    renewed = refresh_sessions(folder) if os.geteuid() == 0 else 0
    if shell.json:
        write_json({"toolbox": folder, "sessions": renewed})
    elif not renewed:
        click.echo("pyd: the next session has it", err=True)
