"""`--filter NAME=VALUE`, as the Engine API takes it."""

from __future__ import annotations

from collections.abc import Sequence

import click

from pyd_core.errors import InvalidInput


def parse_filters(given: Sequence[str]) -> dict[str, list[str]] | None:
    """Returns filters by name; values of one name are alternatives, names must all hold.

    Raises:
        InvalidInput: One has no `=`.
    """
    filters: dict[str, list[str]] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise InvalidInput(f"not a filter: {text!r}", hint="write NAME=VALUE, such as status=exited or label=tier")
        filters.setdefault(name, []).append(value)
    return filters or None


filter_option = click.option(
    "-f", "--filter", "filters", multiple=True, metavar="NAME=VALUE", help="Only what fits; may be given again."
)
