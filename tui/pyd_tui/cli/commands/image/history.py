"""`pyd image history`."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import click

from pyd_core.humanize import docker_duration
from pyd_core.model.image import HistoryLayer
from pyd_tui.cli.commands.image.ls import short_id
from pyd_tui.cli.objects.names import ImageName
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state
from pyd_tui.console.listing import TableListing, format_option, full_option, quiet_option
from pyd_tui.console.render.docker_words import spell_size, spell_time

MAX_COMMAND_CHARS = 45


def _fields(layer: HistoryLayer, full: bool) -> Mapping[str, Any]:
    created_by = layer.created_by.replace("\t", " ")
    return {
        "ID": layer.id if full or layer.id == "<missing>" else short_id(layer.id),
        "CreatedSince": f"{docker_duration(time.time() - layer.created)} ago" if layer.created > 0 else "N/A",
        "CreatedAt": spell_time(layer.created),
        "CreatedBy": created_by
        if full or len(created_by) <= MAX_COMMAND_CHARS
        else f"{created_by[: MAX_COMMAND_CHARS - 1]}…",
        "Size": spell_size(layer.size),
        "Comment": layer.comment,
    }


LISTING = TableListing(
    fields=_fields,
    titles={
        "ID": "IMAGE",
        "CreatedSince": "CREATED",
        "CreatedAt": "CREATED AT",
        "CreatedBy": "CREATED BY",
        "Size": "SIZE",
        "Comment": "COMMENT",
    },
    shown=("ID", "CreatedSince", "CreatedBy", "Size", "Comment"),
    right=frozenset({"Size"}),
)


@click.command(
    "history",
    cls=PydCommand,
    examples=(
        ("pyd image history app", "list layers, newest first"),
        ("pyd image history --no-trunc app", "show whole commands"),
    ),
)
@click.argument("name", type=ImageName(), metavar="IMAGE")
@click.option("-H", "--human", is_flag=True, hidden=True, expose_value=False, help="No effect: always on.")
@quiet_option
@full_option
@format_option
@pass_state
def command(state: State, /, *, name: str, quiet: bool, full: bool, format: str) -> None:
    """Show the history of an image, newest layer first."""
    from pyd_core.client.provider import images_of

    layers = state.ask_provider(lambda engine: images_of(engine).history(name))
    LISTING.write(state, layers, quiet=quiet, full=full, format=format)
