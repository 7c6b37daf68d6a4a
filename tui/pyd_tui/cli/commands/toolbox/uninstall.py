"""`pyd toolbox uninstall`."""

from __future__ import annotations

import click

from pyd_tui.cli.debug.toolbox import run_with_progress
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state


@click.command("uninstall", cls=PydCommand, examples=(("pyd toolbox uninstall net", "running sessions keep it"),))
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@pass_state
def command(state: State, /, *, names: tuple[str, ...]) -> None:
    """Uninstall packs or packages."""
    from pyd_core.debug.toolbox import manage

    run_with_progress(state, lambda progress: manage.uninstall(names, progress))
