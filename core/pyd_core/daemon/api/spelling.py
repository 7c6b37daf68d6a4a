"""Names of fields as the API has them, however a client has written them.

Docker Engine's decoder (Go's encoding/json) takes `detachKeys` for `DetachKeys`, and clients rely on that.
"""

from __future__ import annotations

from functools import cache
from types import UnionType
from typing import Any, Union, get_args, get_origin

import msgspec


def respelled(body: bytes, kind: Any) -> bytes:
    """Returns a request's body with the fields' names as the API has them; what isn't JSON as it is."""
    try:
        plain = msgspec.json.decode(body)
        return msgspec.json.encode(plain) if _respell(plain, kind) else body
    except (msgspec.DecodeError, RecursionError):
        return body


def _respell(value: Any, kind: Any) -> int:
    """Puts names right in place, and tells how many were wrong."""
    origin = get_origin(kind)
    if origin in {Union, UnionType}:
        return sum(_respell(value, each) for each in get_args(kind))
    if origin is list and isinstance(value, list):
        return sum(_respell(each, get_args(kind)[0]) for each in value)
    if origin is dict and isinstance(value, dict):
        return sum(_respell(each, get_args(kind)[1]) for each in value.values())
    if not (isinstance(kind, type) and issubclass(kind, msgspec.Struct) and isinstance(value, dict)):
        return 0
    names, kinds = _fields(kind)
    wrong = [name for name in value if name not in kinds and name.casefold() in names]
    for name in wrong:
        value.setdefault(names[name.casefold()], value.pop(name))
    return len(wrong) + sum(_respell(each, kinds[name]) for name, each in value.items() if name in kinds)


@cache
def _fields(kind: type[msgspec.Struct]) -> tuple[dict[str, str], dict[str, Any]]:
    """The name of each field by its name in small letters, and the type of each by its name."""
    fields = msgspec.structs.fields(kind)
    names = {field.encode_name.casefold(): field.encode_name for field in fields}
    return names, {field.encode_name: field.type for field in fields}
