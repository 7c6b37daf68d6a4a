"""`pyd toolbox install`."""

from __future__ import annotations

import click

from pyd_tui.cli.debug.toolbox import run_with_progress
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state


@click.command(
    "install",
    cls=PydCommand,
    examples=(("pyd toolbox install net", "install a pack"), ("pyd toolbox install socat", "install a Debian package")),
)
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@pass_state
def command(state: State, /, *, names: tuple[str, ...]) -> None:
    """Install packs or Debian packages for all later sessions."""
    from pyd_core.debug.toolbox import manage

    run_with_progress(state, lambda progress: manage.install(names, progress))
