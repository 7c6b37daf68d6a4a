"""`pyd stack services`."""

from __future__ import annotations

import click

from pyd_core.model.service import STACK
from pyd_tui.cli.swarm.names import StackName
from pyd_tui.cli.swarm.services import LISTING
from pyd_tui.console.command import PydCommand
from pyd_tui.console.filters import parse_filters
from pyd_tui.console.global_options import State, pass_state
from pyd_tui.console.listing import list_options


@click.command("services", cls=PydCommand, examples=(("pyd stack services shop", "list its services"),))
@click.argument("name", type=StackName(), metavar="STACK")
@list_options
@pass_state
def command(state: State, /, *, name: str, filters: tuple[str, ...], quiet: bool, full: bool, format: str) -> None:
    """List the services of a stack."""
    selected = parse_filters(filters) or {}
    label = [*selected.get("label", []), f"{STACK}={name}"]
    services = state.ask(lambda engine: engine.services.list(filters={**selected, "label": label}))
    LISTING.write(state, services, quiet=quiet, full=full, format=format)
