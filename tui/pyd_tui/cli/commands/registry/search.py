"""`pyd search`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from pyd_core.model.image import SearchResult
from pyd_tui.console.command import PydCommand
from pyd_tui.console.filters import filter_option, parse_filters
from pyd_tui.console.global_options import State, pass_state
from pyd_tui.console.listing import TableListing, format_option, full_option

MAX_DESCRIPTION_CHARS = 45


def _fields(result: SearchResult, full: bool) -> Mapping[str, Any]:
    text = " ".join(result.description.split())
    return {
        "Name": result.name,
        "Description": text if full or len(text) <= MAX_DESCRIPTION_CHARS else f"{text[: MAX_DESCRIPTION_CHARS - 1]}…",
        "StarCount": str(result.star_count),
        "IsOfficial": "[OK]" if result.is_official else "",
        "IsAutomated": "[OK]" if result.is_automated else "",
    }


LISTING = TableListing(
    fields=_fields,
    titles={"Name": "NAME", "Description": "DESCRIPTION", "StarCount": "STARS", "IsOfficial": "OFFICIAL"},
    shown=("Name", "Description", "StarCount", "IsOfficial"),
    identity="Name",
    right=frozenset({"StarCount"}),
)


@click.command(
    "search", cls=PydCommand, examples=(("pyd search -f is-official=true postgres", "search official images"),)
)
@click.argument("term")
@click.option("--limit", type=click.IntRange(1, 100), metavar="N", help="Maximum number of results.")
@filter_option
@full_option
@format_option
@pass_state
def command(
    state: State, /, *, term: str, limit: int | None, filters: tuple[str, ...], full: bool, format: str
) -> None:
    """Search Docker Hub for images."""
    selected = parse_filters(filters)
    results = state.ask(lambda engine: engine.images.search(term, limit=limit, filters=selected))
    LISTING.write(state, results, quiet=False, full=full, format=format)
