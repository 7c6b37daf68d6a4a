"""Comma-separated fields of one option: `type=bind,source=/a,"target=/b,c"`, and `NAME=VALUE` pairs."""

from __future__ import annotations

from collections.abc import Iterable

from pyd_core.errors import InvalidInput
from pyd_core.sanitise import safe


def split_fields(text: str) -> list[str]:
    """Split a line of comma-separated values; a field in double quotes may contain commas.

    Raises:
        InvalidInput: A quote isn't closed.
    """
    import csv  # noqa: PLC0415 - few options use quotes

    try:
        [row] = csv.reader([text], strict=True)
    except (csv.Error, ValueError) as error:
        raise InvalidInput(f"can't read {safe(text)!r}: {error}") from error
    return row


def parse_pairs(texts: Iterable[str]) -> dict[str, str]:
    """Return `NAME=VALUE` texts by name; a name without `=` has an empty value."""
    values = {}
    for text in texts:
        name, _, value = text.partition("=")
        values[name] = value
    return values


def parse_int(value: str, name: str, *, minimum: int | None = None) -> int:
    """Read an integer.

    Raises:
        InvalidInput: It is not an integer, or smaller than `least`.
    """
    try:
        parsed = int(value)
    except ValueError:
        parsed = None
    if parsed is None or (minimum is not None and parsed < minimum):
        raise InvalidInput(f"invalid value for {name}: {safe(value)!r} is not a number it takes")
    return parsed
