"""`pyd start`."""

from __future__ import annotations

import click

from pyd_tui.cli.lifecycle import act
from pyd_tui.cli.names import ContainerName
from pyd_tui.cli.state import State, pass_state
from pyd_tui.cli.verb import Verb


@click.command("start", cls=Verb, examples=(("pyd start web", "one"), ("pyd start web db", "several at once")))
@click.argument(
    "names", nargs=-1, required=True, type=ContainerName("created", "exited", "dead"), metavar="CONTAINER..."
)
@pass_state
def command(state: State, /, *, names: tuple[str, ...]) -> int:
    """Start containers."""
    return act(state, names, lambda engine, name: engine.containers.start(name))
