"""Kubernetes' protobuf, as far as kubectl sends it: bodies of reviews, evictions, deletions and new objects.

`records/protobuf.json` has the published field numbers by message: `name one|list|map type`.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from support.kube.ages import timestamp

MAGIC = b"k8s\x00"
INLINE = {"ephemeralContainerCommon", "volumeSource", "handler", "localObjectReference"}
"""Messages whose fields lie in the object around them in JSON."""

Fields = dict[str, str]


class UnknownMessage(Exception):
    """The kind of the object has no field numbers here."""


@cache
def _messages() -> dict[str, Fields]:
    loaded: dict[str, Fields] = json.loads((Path(__file__).parent / "records/protobuf.json").read_text())
    return loaded


def decode_object(data: bytes) -> dict[str, Any]:
    """Return the object in an envelope of `runtime.Unknown`.

    Raises:
        UnknownMessage: Its kind is not known here.
    """
    envelope = dict(_fields(data[len(MAGIC) :]))
    meta = dict(_fields(envelope.get(1, b"")))
    kind, version = meta.get(2, b"").decode(), meta.get(1, b"").decode()
    if kind not in _messages():
        raise UnknownMessage(f"no field numbers of {kind} in {version}")
    return {"kind": kind, "apiVersion": version, **_message(kind, envelope.get(2, b""))}


def _fields(data: bytes) -> Iterator[tuple[int, Any]]:
    position = 0
    while position < len(data):
        tag, position = _varint(data, position)
        match tag & 7:
            case 0:
                value, position = _varint(data, position)
                yield tag >> 3, value
            case 2:
                size, position = _varint(data, position)
                yield tag >> 3, data[position : position + size]
                position += size
            case wire:
                raise UnknownMessage(f"wire type {wire}")


def _varint(data: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[position]
        value |= (byte & 0x7F) << shift
        position, shift = position + 1, shift + 7
        if not byte & 0x80:
            return value, position


def _message(kind: str, data: bytes) -> dict[str, Any]:
    known = _messages()[kind]
    document: dict[str, Any] = {}
    for number, raw in _fields(data):
        if str(number) not in known:
            continue
        name, shape, inner = known[str(number)].split()
        if shape == "map":
            pair = dict(_fields(raw))
            document.setdefault(name, {})[pair[1].decode()] = _value(inner, pair.get(2, b""))
            continue
        value = _value(inner, raw)
        if shape == "list":
            document.setdefault(name, []).append(value)
        elif name in INLINE:
            document |= value
        elif value not in ("", {}, None) and (name, value) != ("generation", 0):
            document[name] = value
    return document


def _value(kind: str, raw: Any) -> Any:  # noqa: PLR0911 - a form for each kind
    match kind:
        case "string":
            return raw.decode()
        case "bool":
            return bool(raw)
        case "bytes":
            return base64.b64encode(raw).decode()
        case "int32" | "int64":
            return raw - (1 << 64) if raw >= 1 << 63 else raw
        case "Time":
            seconds = dict(_fields(raw)).get(1)
            return timestamp(datetime.fromtimestamp(seconds, UTC)) if seconds else None
        case "Quantity":
            return dict(_fields(raw)).get(1, b"").decode()
        case "IntOrString":
            parts = dict(_fields(raw))
            return parts.get(3, b"").decode() if parts.get(1) else parts.get(2, 0)
    return _message(kind, raw)
