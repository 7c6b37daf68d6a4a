"""`pyd rename`."""

from __future__ import annotations

import click

from pyd_tui.cli.objects.bulk import run_on_each
from pyd_tui.cli.objects.names import ContainerName
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state


@click.command(
    "rename",
    cls=PydCommand,
    examples=(("pyd rename web old-web", "rename a container"),),
)
@click.argument("name", type=ContainerName(), metavar="CONTAINER")
@click.argument("new_name", metavar="NEW-NAME")
@pass_state
def command(state: State, /, *, name: str, new_name: str) -> int:
    """Rename a container."""
    return run_on_each(state, [name], lambda engine, container: engine.containers.rename(container, new_name))
