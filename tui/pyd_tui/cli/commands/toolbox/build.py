"""`pyd toolbox build`."""

from __future__ import annotations

import click

from pyd_tui.cli.debug.toolbox import machine_option, run_with_progress
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state


@click.command(
    "build",
    cls=PydCommand,
    examples=(
        ("pyd toolbox build", "build it from the packages that apt offers today"),
        ("pyd toolbox build --machine aarch64", "build for an engine on an arm64 machine"),
    ),
)
@machine_option
@pass_state
def command(state: State, /, *, machine: str | None) -> None:
    """Build the toolbox, or rebuild it if packages have changed."""
    from pyd_core.debug.toolbox import manage

    run_with_progress(state, lambda progress: manage.build(progress, machine or ""))
