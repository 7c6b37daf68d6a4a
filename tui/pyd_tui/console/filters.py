"""The `--filter NAME=VALUE` option, for the Engine API."""

from __future__ import annotations

from collections.abc import Sequence

import click

from pyd_core.errors import InvalidInput


def parse_filters(texts: Sequence[str]) -> dict[str, list[str]] | None:
    """Return filters by name: values of a name are alternatives, and all names must match.

    Raises:
        InvalidInput: A filter has no `=`.
    """
    filters: dict[str, list[str]] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise InvalidInput(f"not a filter: {text!r}", hint="write NAME=VALUE, such as status=exited or label=tier")
        filters.setdefault(name, []).append(value)
    return filters or None


filter_option = click.option(
    "-f", "--filter", "filters", multiple=True, metavar="NAME=VALUE", help="Filter output; may be repeated."
)
