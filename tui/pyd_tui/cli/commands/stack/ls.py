"""`pyd stack ls`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from pyd_core.model.service import STACK
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state
from pyd_tui.console.listing import TableListing, format_option


def _fields(stack: Mapping[str, Any], full: bool) -> Mapping[str, Any]:  # noqa: ARG001 - nothing to shorten
    return {"Name": stack["name"], "Services": str(stack["services"]), "Orchestrator": "Swarm"}


LISTING = TableListing(
    fields=_fields,
    titles={"Name": "NAME", "Services": "SERVICES"},
    shown=("Name", "Services"),
    identity="Name",
    right=frozenset({"Services"}),
)


@click.command("ls", cls=PydCommand, examples=(("pyd stack ls", "list deployed stacks"),))
@format_option
@pass_state
def command(state: State, /, *, format: str) -> None:
    """List stacks."""
    services = state.ask(lambda engine: engine.services.list(filters={"label": [STACK]}))
    names = [service.stack for service in services]
    stacks = [{"name": name, "services": names.count(name)} for name in sorted(set(names))]
    LISTING.write(state, stacks, quiet=False, full=True, format=format)
