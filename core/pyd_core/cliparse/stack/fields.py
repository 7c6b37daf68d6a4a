"""Parsers for values of Compose files, which allow several forms of each."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from pyd_core.cliparse.limits import parse_cpus
from pyd_core.errors import InvalidInput
from pyd_core.gosyntax.durations import parse_duration
from pyd_core.gosyntax.sizes import parse_size
from pyd_core.sanitise import safe


def mapping(value: Any, where: str) -> dict[str, Any]:
    """Return a mapping with texts as keys; None is an empty one.

    Raises:
        InvalidInput: It is something else.
    """
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InvalidInput(f"{where} must be a mapping")
    return {str(key): item for key, item in value.items()}


def text_list(value: Any, where: str) -> list[str]:
    """Return a list of texts; a single text is a list of one.

    Raises:
        InvalidInput: It is something else.
    """
    if value is None:
        return []
    items = value if isinstance(value, list) else [value]
    if any(isinstance(item, (dict, list)) or item is None for item in items):
        raise InvalidInput(f"{where} must be a list of texts")
    return [text(item) for item in items]


def text(value: Any) -> str:
    """Return a plain value as other languages' YAML readers write it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def split_command(value: Any, where: str) -> list[str]:
    """Return a command: a list, or a text in a shell's notation."""
    if isinstance(value, str):
        try:
            return shlex.split(value)
        except ValueError as error:
            raise InvalidInput(f"can't read {where}: {error}") from error
    return text_list(value, where)


def assignments(value: Any, where: str) -> dict[str, str | None]:
    """Return `NAME=VALUE` items by name, from a list or a mapping; a name without a value has None."""
    if isinstance(value, dict):
        return {str(name): None if item is None else text(item) for name, item in value.items()}
    split = (item.partition("=") for item in text_list(value, where))
    return {name: item if equals else None for name, equals, item in split}


def labels(value: Any, where: str) -> dict[str, str]:
    """Return labels by name; a name without a value has an empty one."""
    return {name: item or "" for name, item in assignments(value, where).items()}


def duration(value: Any, where: str) -> int:
    """Return a duration in nanoseconds."""
    try:
        return parse_duration(text(value))
    except InvalidInput as error:
        raise InvalidInput(f"{where}: {error.message}") from error


def size(value: Any) -> int:
    """Return a size in bytes."""
    return parse_size(text(value))


def cpus(value: Any) -> int:
    """Return billionths of a processor."""
    return parse_cpus(text(value))


def number(value: Any, where: str) -> int:
    """Return an integer.

    Raises:
        InvalidInput: It is not an integer.
    """
    try:
        return int(text(value), 10)
    except ValueError:
        raise InvalidInput(f"{where} must be a whole number, not {safe(text(value))!r}") from None


def check_known(section: Mapping[str, Any], known: frozenset[str], where: str) -> None:
    """Check that a section has only known fields and extensions (`x-…`).

    Raises:
        InvalidInput: It has an unknown field.
    """
    unknown = next((key for key in section if key not in known and not key.startswith("x-")), None)
    if unknown is not None:
        raise InvalidInput(f"{where} has an unknown field: {safe(unknown)}", hint="is it misspelt?")
