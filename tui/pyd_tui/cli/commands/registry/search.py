"""`pyd search`: repositories of the public registry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from pyd_core.model.image import SearchResult
from pyd_tui.console.command import Verb
from pyd_tui.console.filters import filter_option, parse_filters
from pyd_tui.console.global_options import State, pass_state
from pyd_tui.console.listing import TableListing, format_option, full_option

LONGEST = 45


def _fields(found: SearchResult, full: bool) -> Mapping[str, Any]:
    text = " ".join(found.description.split())
    return {
        "Name": found.name,
        "Description": text if full or len(text) <= LONGEST else f"{text[: LONGEST - 1]}…",
        "StarCount": str(found.star_count),
        "IsOfficial": "[OK]" if found.is_official else "",
        "IsAutomated": "[OK]" if found.is_automated else "",
    }


LISTING = TableListing(
    fields=_fields,
    titles={"Name": "NAME", "Description": "DESCRIPTION", "StarCount": "STARS", "IsOfficial": "OFFICIAL"},
    shown=("Name", "Description", "StarCount", "IsOfficial"),
    identity="Name",
    right=frozenset({"StarCount"}),
)


@click.command("search", cls=Verb, examples=(("pyd search -f is-official=true postgres", "official ones"),))
@click.argument("term")
@click.option("--limit", type=click.IntRange(1, 100), metavar="N", help="At most so many.")
@filter_option
@full_option
@format_option
@pass_state
def command(
    state: State, /, *, term: str, limit: int | None, filters: tuple[str, ...], full: bool, format: str
) -> None:
    """Look for repositories in the public registry."""
    chosen = parse_filters(filters)
    found = state.ask(lambda engine: engine.images.search(term, limit=limit, filters=chosen))
    LISTING.write(state, found, quiet=False, full=full, format=format)
