"""Field names as the API has them, however a client has written them.

Docker Engine's decoder (Go's encoding/json) takes `detachKeys` for `DetachKeys`, and clients rely on that.
"""

from __future__ import annotations

from functools import cache
from types import UnionType
from typing import Any, Union, get_args, get_origin

import msgspec


def normalize_field_names(value: Any, kind: Any) -> int:
    """Rename fields to the API's names, in place, and return how many were wrong.

    Args:
        value: Parsed JSON.
        kind: The type it is meant for.
    """
    origin = get_origin(kind)
    if origin in {Union, UnionType}:
        return sum(normalize_field_names(value, variant) for variant in get_args(kind))
    if origin is list and isinstance(value, list):
        return sum(normalize_field_names(item, get_args(kind)[0]) for item in value)
    if origin is dict and isinstance(value, dict):
        return sum(normalize_field_names(item, get_args(kind)[1]) for item in value.values())
    if not (isinstance(kind, type) and issubclass(kind, msgspec.Struct) and isinstance(value, dict)):
        return 0
    names, kinds = _fields(kind)
    wrong = [name for name in value if name not in kinds and name.casefold() in names]
    for name in wrong:
        value.setdefault(names[name.casefold()], value.pop(name))
    return len(wrong) + sum(normalize_field_names(item, kinds[name]) for name, item in value.items() if name in kinds)


@cache
def _fields(kind: type[msgspec.Struct]) -> tuple[dict[str, str], dict[str, Any]]:
    """Return the name of each field by its lower-case name, and the type of each by its name."""
    fields = msgspec.structs.fields(kind)
    names = {field.encode_name.casefold(): field.encode_name for field in fields}
    return names, {field.encode_name: field.type for field in fields}
