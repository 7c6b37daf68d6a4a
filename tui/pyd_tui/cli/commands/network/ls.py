"""`pyd network ls`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from pyd_core.model.base import label, parse_time
from pyd_core.model.network import Network
from pyd_tui.console.command import PydCommand
from pyd_tui.console.filters import parse_filters
from pyd_tui.console.global_options import State, pass_state
from pyd_tui.console.listing import TableListing, list_options
from pyd_tui.console.render.docker_words import spell_labels, spell_time


def _fields(network: Network, full: bool) -> Mapping[str, Any]:
    return {
        "ID": network.id if full else network.id[:12],
        "Name": network.name,
        "Driver": network.driver,
        "Scope": network.scope,
        "IPv6": str(network.enable_ipv6).lower(),
        "Internal": str(network.internal).lower(),
        "Labels": spell_labels(network.labels),
        "Label": lambda name: label(network.labels, name),
        "CreatedAt": spell_time(*divmod(parse_time(network.created) or 0, 1_000_000_000)),
    }


LISTING = TableListing(
    fields=_fields,
    titles={"ID": "NETWORK ID", "Name": "NAME", "Driver": "DRIVER", "Scope": "SCOPE"},
    shown=("ID", "Name", "Driver", "Scope"),
)


@click.command("ls", cls=PydCommand, examples=(("pyd network ls -f driver=bridge", "list bridge networks"),))
@list_options
@pass_state
def command(state: State, /, *, filters: tuple[str, ...], quiet: bool, full: bool, format: str) -> None:
    """List networks."""
    selected = parse_filters(filters)
    networks = state.ask(lambda engine: engine.networks.list(filters=selected))
    networks.sort(key=lambda network: network.name)
    LISTING.write(state, networks, quiet=quiet, full=full, format=format)
