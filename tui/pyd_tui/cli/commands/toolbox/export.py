"""`pyd toolbox export`."""

from __future__ import annotations

from pathlib import Path

import click

from pyd_tui.cli.debug.toolbox import machine_option, run_with_progress
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state


@click.command(
    "export", cls=PydCommand, examples=(("pyd toolbox export tools.tar.gz", "export the toolbox that sessions use"),)
)
@click.argument("path", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE")
@machine_option
@pass_state
def command(state: State, /, *, path: Path, machine: str | None) -> None:
    """Export the toolbox as a tar archive, for a machine without a network."""
    from pyd_core.debug.toolbox import manage

    run_with_progress(state, lambda progress: manage.export(path, progress, machine or ""))
