"""`pyd pause`."""

from __future__ import annotations

import click

from pyd_tui.cli.objects.bulk import run_on_each
from pyd_tui.cli.objects.names import ContainerName
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state


@click.command("pause", cls=PydCommand, examples=(("pyd pause web db", "pause two containers"),))
@click.argument("names", nargs=-1, required=True, type=ContainerName("running"), metavar="CONTAINER...")
@pass_state
def command(state: State, /, *, names: tuple[str, ...]) -> int:
    """Pause all processes of one or more containers."""
    return run_on_each(state, names, lambda engine, name: engine.containers.pause(name))
