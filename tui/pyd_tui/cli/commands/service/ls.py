"""`pyd service ls`."""

from __future__ import annotations

import click

from pyd_tui.cli.swarm.services import LISTING
from pyd_tui.console.command import PydCommand
from pyd_tui.console.filters import parse_filters
from pyd_tui.console.global_options import State, pass_state
from pyd_tui.console.listing import list_options


@click.command("ls", cls=PydCommand, examples=(("pyd service ls -f mode=global", "list global services"),))
@list_options
@pass_state
def command(state: State, /, *, filters: tuple[str, ...], quiet: bool, full: bool, format: str) -> None:
    """List services."""
    selected = parse_filters(filters)
    services = state.ask(lambda engine: engine.services.list(filters=selected))
    services.sort(key=lambda service: service.spec.name)
    LISTING.write(state, services, quiet=quiet, full=full, format=format)
