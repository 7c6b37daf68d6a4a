"""`pyd volume ls`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from pyd_core.model.base import label
from pyd_core.model.volume import Volume
from pyd_tui.console.command import PydCommand
from pyd_tui.console.filters import parse_filters
from pyd_tui.console.global_options import State, pass_state
from pyd_tui.console.listing import TableListing, list_options
from pyd_tui.console.render.docker_words import spell_labels


def _fields(volume: Volume, full: bool) -> Mapping[str, Any]:  # noqa: ARG001 - names are never shortened
    return {
        "Name": volume.name,
        "Driver": volume.driver,
        "Scope": volume.scope,
        "Mountpoint": volume.mountpoint,
        "Labels": spell_labels(volume.labels),
        "Label": lambda name: label(volume.labels, name),
        "Links": "N/A",
        "Size": "N/A",
        "Availability": "N/A",
        "Group": "N/A",
        "Status": "N/A",
    }


LISTING = TableListing(
    fields=_fields,
    titles={"Driver": "DRIVER", "Name": "VOLUME NAME", "Scope": "SCOPE", "Mountpoint": "MOUNTPOINT"},
    shown=("Driver", "Name"),
    identity="Name",
)


@click.command(
    "ls", cls=PydCommand, examples=(("pyd volume ls -f dangling=true", "list volumes that no container uses"),)
)
@list_options
@pass_state
def command(state: State, /, *, filters: tuple[str, ...], quiet: bool, full: bool, format: str) -> None:
    """List volumes."""
    selected = parse_filters(filters)
    volumes = state.ask(lambda engine: engine.volumes.list(filters=selected))
    volumes.sort(key=lambda volume: volume.name)
    LISTING.write(state, volumes, quiet=quiet, full=full, format=format)
