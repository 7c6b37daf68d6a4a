"""Functions of templates: Go's own and the docker CLI's (docker/cli, `templates/templates.go`)."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from typing import Any

import msgspec

from pyd_core.errors import InvalidInput
from pyd_core.sanitise import safe

_VERB = re.compile(r"%([-+ 0#]*)(\d*)(?:\.(\d+))?([a-zA-Z%])")
MAX_PADDING_CHARS = 1000
"""The largest width of a padded value."""


def truth(value: Any) -> bool:
    """Return whether Go counts a value as true: not empty, not 0."""
    return bool(value)


def text(value: Any) -> str:  # noqa: PLR0911 - one for each kind
    """Format a value as Go's `fmt` does with `%v`."""
    match value:
        case None:
            return "<no value>"
        case bool():
            return "true" if value else "false"
        case str():
            return value
        case dict():
            return f"map[{' '.join(f'{key}:{text(value[key])}' for key in sorted(value))}]"
        case list() | tuple():
            return f"[{' '.join(map(text, value))}]"
        case float() if value.is_integer() and abs(value) < 1e21:
            return f"{value:.0f}"
        case _:
            return str(value)


def _json(value: Any) -> str:
    if isinstance(value, dict):
        value = {name: item for name, item in value.items() if not callable(item)}
    return msgspec.json.encode(value).decode()


def _index(value: Any, *keys: Any) -> Any:
    for key in keys:
        if isinstance(value, dict):
            value = value.get(key, "" if all(isinstance(item, str) for item in value.values()) else None)
        elif isinstance(value, list | tuple | str) and isinstance(key, int):
            if not 0 <= key < len(value):
                raise InvalidInput(f"index out of range: {key}", reference="bad-template")
            value = value[key]
        elif value is None:
            return None
        else:
            raise InvalidInput(f"can't index {text(value)[:40]!r} with {key!r}", reference="bad-template")
    return value


def _slice(value: Any, start: int = 0, end: int | None = None) -> Any:
    if not isinstance(value, list | tuple | str) or not 0 <= start <= (len(value) if end is None else end) <= len(
        value
    ):
        raise InvalidInput("slice bounds out of range", reference="bad-template")
    return value[start:end]


def _length(value: Any) -> int:
    if value is None or not hasattr(value, "__len__"):
        raise InvalidInput(f"len of {text(value)[:40]}", reference="bad-template")
    return len(value.encode()) if isinstance(value, str) else len(value)


def _equal(first: Any, *others: Any) -> bool:
    return any(first == other for other in others)


def _all(*values: Any) -> Any:
    return next((value for value in values if not truth(value)), values[-1])


def _any(*values: Any) -> Any:
    return next((value for value in values if truth(value)), values[-1])


def _print(*values: Any) -> str:
    """Join values like Go's `Sprint`: with a space between two that aren't strings."""
    written = ""
    for index, value in enumerate(values):
        if index and not isinstance(value, str) and not isinstance(values[index - 1], str):
            written += " "
        written += text(value)
    return written


def _printf(form: str, *values: Any) -> str:
    rest = list(values)

    def substitute(match: re.Match[str]) -> str:
        flags, width, precision, verb = match.groups()
        if verb == "%":
            return "%"
        if not rest:
            return f"%!{verb}(MISSING)"
        value = rest.pop(0)
        shown = _verb(verb, value, precision)
        if flags and "+" in flags and isinstance(value, int | float) and value >= 0:
            shown = f"+{shown}"
        columns = min(int(width or 0), MAX_PADDING_CHARS)
        if "-" in flags:
            return shown.ljust(columns)
        return shown.rjust(columns, "0" if "0" in flags and not isinstance(value, str) else " ")

    return _VERB.sub(substitute, form)


def _verb(verb: str, value: Any, precision: str | None) -> str:  # noqa: PLR0911 - one for each
    match verb:
        case "q":
            return _json(text(value))
        case "x" | "X" if isinstance(value, int):
            return format(value, verb)
        case "x" if isinstance(value, str):
            return value.encode().hex()
        case "f" | "e" | "g" if isinstance(value, int | float):
            return f"{value:.{min(int(precision or 6), 50)}{verb}}"
        case "s" if precision:
            return text(value)[: int(precision)]
        case "s" | "v" | "d" | "t":
            return text(value)
        case _:
            return f"%!{verb}({safe(text(value))})"


def _pad(value: str, before: int, after: int) -> str:
    return f"{' ' * min(before, MAX_PADDING_CHARS)}{value}{' ' * min(after, MAX_PADDING_CHARS)}" if value else value


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "json": _json,
    "split": lambda value, separator: value.split(separator) if separator else list(value),
    "join": lambda values, separator: separator.join(map(text, values or [])),
    "title": lambda value: re.sub(r"(?<!\S)\S", lambda match: match[0].upper(), value),
    "lower": lambda value: value.lower(),
    "upper": lambda value: value.upper(),
    "pad": _pad,
    "truncate": lambda value, length: value[:length],
    "print": _print,
    "println": lambda *values: " ".join(map(text, values)) + "\n",
    "printf": _printf,
    "index": _index,
    "slice": _slice,
    "len": _length,
    "not": lambda value: not truth(value),
    "and": _all,
    "or": _any,
    "eq": _equal,
    "ne": operator.ne,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
}
