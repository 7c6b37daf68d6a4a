"""Metadata of calls: the headers that come with a request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from grpclib.server import Stream


def metadata_value(stream: Stream[Any, Any], key: str, default: str = "") -> str:
    """Return the first value of a key."""
    values = metadata_values(stream, key)
    return values[0] if values else default


def metadata_values(stream: Stream[Any, Any], key: str) -> list[str]:
    """Return all values of a key."""
    if stream.metadata is None:
        return []
    return [value if isinstance(value, str) else value.decode("latin-1") for value in stream.metadata.getall(key, ())]
