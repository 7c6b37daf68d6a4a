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


def pairs(given: Iterable[str]) -> dict[str, str]:
    """Return `NAME=VALUE` texts by name; a name without `=` has an empty value."""
    found = {}
    for text in given:
        name, _, value = text.partition("=")
        found[name] = value
    return found


def truth(value: str, name: str) -> bool:
    """Read a boolean as Go does; empty means true.

    Raises:
        InvalidInput: It is not a boolean.
    """
    if value in {"1", "t", "T", "true", "TRUE", "True", ""}:
        return True
    if value in {"0", "f", "F", "false", "FALSE", "False"}:
        return False
    raise InvalidInput(f"invalid value for {name}: {safe(value)}", hint="write true or false")


def number(value: str, name: str, *, least: int | None = None) -> int:
    """Read an integer.

    Raises:
        InvalidInput: It is not an integer, or smaller than `least`.
    """
    try:
        found = int(value)
    except ValueError:
        found = None
    if found is None or (least is not None and found < least):
        raise InvalidInput(f"invalid value for {name}: {safe(value)!r} is not a number it takes")
    return found
