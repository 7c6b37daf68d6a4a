"""Responses as JSON: every field of the API is present, also those at their default.

The model's types leave defaults out, which suits a client. An engine's readers (`docker inspect`, docker-py) look
fields up by name, so here each struct is written in full. Where Docker Engine has null, or nothing, `response_types.py`
says so; for all other types a None is an empty list where the contract has a list, else left out.
"""

from __future__ import annotations

from functools import cache
from typing import Any, get_args, get_origin

import msgspec

from pyd_core.daemon.api.http import HandlerResult
from pyd_core.daemon.api.response_types import shape_of


@cache
def _fields(kind: type[msgspec.Struct]) -> tuple[tuple[str, str, bool], ...]:
    """Name, name on the wire, and whether it may be a list, of each field."""
    return tuple(
        (field.name, field.encode_name, any(get_origin(argument) is list for argument in get_args(field.type)))
        for field in msgspec.structs.fields(kind)
    )


_shape = cache(shape_of)


def _struct(value: msgspec.Struct) -> dict[str, Any]:
    shape = _shape(type(value))
    written: dict[str, Any] = dict(shape.constant)
    for name, wire, listed in _fields(type(value)):
        content = getattr(value, name)
        empty = content is None or content in ([], {})
        if wire in shape.omitted and (empty or content in (0, "")):
            continue
        if (empty and wire in shape.null) or (content is None and wire in shape.nullable):
            written[wire] = None
        elif content is not None:
            written[wire] = full(content)
        elif listed:
            written[wire] = []
    return written


def full(value: Any) -> Any:
    """Convert a value that holds model structs to plain data, written as Docker Engine writes it."""
    if isinstance(value, msgspec.Struct):
        return _struct(value)
    if isinstance(value, dict):
        return {key: full(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [full(item) for item in value]
    return value


def json(value: Any, *, status: int = 200) -> HandlerResult:
    """Respond with a value as JSON, in full."""
    return HandlerResult(status=status, body=msgspec.json.encode(full(value)))


def line(value: Any) -> bytes:
    """Return a record of a stream of JSON texts."""
    return msgspec.json.encode(value) + b"\r\n"
