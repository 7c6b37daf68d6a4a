"""`pyd rename`: another name for a container."""

from __future__ import annotations

import click

from pyd_tui.cli.objects.bulk import act
from pyd_tui.cli.objects.names import ContainerName
from pyd_tui.console.command import Verb
from pyd_tui.console.global_options import State, pass_state


@click.command(
    "rename",
    cls=Verb,
    examples=(("pyd rename web old-web", "web is free again"),),
)
@click.argument("name", type=ContainerName(), metavar="CONTAINER")
@click.argument("to", metavar="NEW-NAME")
@pass_state
def command(state: State, /, *, name: str, to: str) -> int:
    """Give a container another name."""
    return act(state, [name], lambda engine, found: engine.containers.rename(found, to))
