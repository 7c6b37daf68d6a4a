"""Comma-separated fields of one option: `type=bind,source=/a,"target=/b,c"`, and `NAME=VALUE` pairs."""

from __future__ import annotations

from collections.abc import Iterable

from pyd_core.errors import InvalidInput
from pyd_core.sanitise import safe


def split_fields(text: str) -> list[str]:
    """Takes a line of comma-separated values apart; a field in double quotes may hold commas.

    Raises:
        InvalidInput: A quote has no end.
    """
    import csv  # noqa: PLC0415 - few options are written so

    try:
        [row] = csv.reader([text], strict=True)
    except (csv.Error, ValueError) as error:
        raise InvalidInput(f"can't read {safe(text)!r}: {error}") from error
    return row


def pairs(given: Iterable[str]) -> dict[str, str]:
    """Returns `NAME=VALUE` texts by name; a name alone has an empty value."""
    found = {}
    for text in given:
        name, _, value = text.partition("=")
        found[name] = value
    return found


def truth(value: str, name: str) -> bool:
    """Reads a yes or no as Go does.

    Raises:
        InvalidInput: It is neither.
    """
    if value in {"1", "t", "T", "true", "TRUE", "True", ""}:
        return True
    if value in {"0", "f", "F", "false", "FALSE", "False"}:
        return False
    raise InvalidInput(f"invalid value for {name}: {safe(value)}", hint="write true or false")


def number(value: str, name: str, *, least: int | None = None) -> int:
    """Reads a whole number.

    Raises:
        InvalidInput: It is none, or smaller than `least`.
    """
    try:
        found = int(value)
    except ValueError:
        found = None
    if found is None or (least is not None and found < least):
        raise InvalidInput(f"invalid value for {name}: {safe(value)!r} is not a number it takes")
    return found
