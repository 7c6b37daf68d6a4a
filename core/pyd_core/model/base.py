"""Shared parts of all model types: wire form, decoding, and times."""

from __future__ import annotations

import re
from _thread import allocate_lock  # loaded anyway; `threading` costs every verb a millisecond
from collections.abc import Hashable, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, ClassVar, TypeVar, cast, dataclass_transform, get_origin

import msgspec

from pyd_core.errors import ProtocolError

T = TypeVar("T")

_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?(Z|[+-]\d\d:\d\d)$")


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(msgspec.field,))
class _ApiStructMeta(msgspec.StructMeta):
    """Metaclass through which type checkers see that every ApiStruct is frozen and keyword-only."""


class ApiStruct(
    msgspec.Struct, metaclass=_ApiStructMeta, frozen=True, kw_only=True, omit_defaults=True, rename="pascal"
):
    """Base class for types of the Engine API.

    Field names are PascalCase on the wire and snake_case here; exceptions set their wire name with
    `msgspec.field(name=...)`. Fields that the engine omits, or sends as `null`, take their default.
    """

    SPEC: ClassVar[str] = ""
    """Definition in the API's contract: a definition's name (`ContainerState`), `Definition.field.field` for an inlined
    one (`[]` selects an array's items, `{}` a map's values), or `GET /path 200` for a response's schema and
    `POST /path body` for a request's."""


def decode(body: bytes, kind: type[T], *, what: str = "answer") -> T:
    """Decode an engine's JSON.

    Engines send `null` where the API promises an object, a list or a string. Nulls are removed only if the C decoder
    rejects the body, so that the usual case costs nothing.

    Args:
        body: JSON text.
        kind: The expected type, for example `list[ContainerSummary]`.
        what: The body's name in error messages.

    Raises:
        ProtocolError: The body is not JSON, or not of that type.
    """
    try:
        decoded: T = _decoder(cast("Hashable", kind)).decode(body)
    except msgspec.ValidationError:
        pass
    except (msgspec.DecodeError, RecursionError) as error:
        raise ProtocolError(f"the engine's {what} is not JSON: {error}") from error
    else:
        return decoded
    try:
        plain = _without_nulls(msgspec.json.decode(body))
        if plain is None and get_origin(kind) is list:
            plain = []
        return msgspec.convert(plain, kind)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ProtocolError(f"the engine's {what} is not what its API promises: {error}") from error


def encode(value: object) -> bytes:
    """Encode a model value, or plain data that contains some, as the API's JSON."""
    return msgspec.json.encode(value)


_DECODER_LOCK = allocate_lock()
"""Held while msgspec inspects a type: a second thread that met the same half-built type would crash the process."""


@cache
def _decoder(kind: Hashable) -> msgspec.json.Decoder[Any]:
    with _DECODER_LOCK:
        decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(cast("Any", kind))
    return decoder


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value if item is not None]
    return value


def parse_time(text: str) -> int | None:
    """Parse an RFC 3339 time as nanoseconds since the epoch.

    Returns:
        None for an empty or malformed text and for Go's zero time (`0001-01-01T00:00:00Z`), which the API uses for
        "never".
    """
    match = _TIME.match(text)
    if match is None:
        return None
    seconds, fraction, zone = match.groups()
    try:
        moment = datetime.fromisoformat(seconds + ("+00:00" if zone == "Z" else zone))
    except ValueError:
        return None
    if moment.year == 1:
        return None
    return int(moment.timestamp()) * 1_000_000_000 + int((fraction or "0").ljust(9, "0"))


def format_time(nanoseconds: int) -> str:
    """Format nanoseconds since the epoch as RFC 3339 in UTC with nanoseconds, as Docker Engine does."""
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"


def label(labels: Mapping[str, str], name: str) -> str:
    """Return a label's value, or an empty text."""
    return labels.get(name, "")
