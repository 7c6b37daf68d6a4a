"""The format of exported caches: which keys have which layers.

It has the form of BuildKit's (`application/vnd.buildkit.cacheconfig.v0`), with records under this engine's keys.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from pyd_core.daemon.images.blobs import hex_digest
from pyd_core.daemon.images.layers import StoredLayer
from pyd_core.errors import InvalidInput

MEDIA_TYPE = "application/vnd.buildkit.cacheconfig.v0"
INLINE_KEY = "moby.buildkit.cache.v0"
"""Field of an image's configuration that holds its cache."""
MAX_RECORDS, MAX_LAYERS, MAX_OUTPUTS = 100_000, 10_000, 100


class CacheLayer(msgspec.Struct, frozen=True, kw_only=True):
    """A layer of an exported cache."""

    blob: str
    diff_id: str = msgspec.field(name="diffID", default="")
    media: str = msgspec.field(name="mediaType", default="")
    size: int = 0
    """Bytes of the packed form."""


class ExportedRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A result of an exported cache; its layers are numbers in the list of layers."""

    digest: str
    """The key."""
    identity: str = ""
    outputs: list[list[int]] = []
    name: str = ""


class CacheConfig(msgspec.Struct, frozen=True, kw_only=True):
    """An exported cache."""

    layers: list[CacheLayer] = []
    records: list[ExportedRecord] = []


class TraceEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A result that a build used or made."""

    keys: tuple[str, ...]
    identity: str
    outputs: tuple[tuple[str, ...], ...]
    name: str


def cache_of(trace: Sequence[TraceEntry], stored: Mapping[str, StoredLayer]) -> CacheConfig:
    """Return the cache of a build.

    Args:
        trace: The results; those with layers that aren't stored are left out.
        stored: Layers by the name that results have for them.
    """
    numbers: dict[str, int] = {}
    layers: list[CacheLayer] = []
    records: list[ExportedRecord] = []
    for entry in trace:
        if not all(layer in stored for output in entry.outputs for layer in output):
            continue
        outputs: list[list[int]] = []
        for output in entry.outputs:
            for layer in output:
                if layer not in numbers:
                    numbers[layer] = len(layers)
                    item = stored[layer]
                    layers.append(CacheLayer(blob=item.blob, diff_id=item.diff_id, media=item.media, size=item.packed))
            outputs.append([numbers[layer] for layer in output])
        records += [
            ExportedRecord(digest=key, identity=entry.identity, outputs=outputs, name=entry.name)
            for key in entry.keys
            if "+" not in key
        ]
    return CacheConfig(layers=layers, records=records)


def read_cache(body: bytes) -> CacheConfig:
    """Read an exported cache, which may come from anywhere.

    Raises:
        InvalidInput: It is malformed, or too large.
    """
    try:
        config = msgspec.json.decode(body, type=CacheConfig)
    except (msgspec.DecodeError, RecursionError) as error:
        raise InvalidInput(f"the cache can't be read: {error}", reference="bad-cache") from error
    if len(config.records) > MAX_RECORDS or len(config.layers) > MAX_LAYERS:
        raise InvalidInput("the cache is too large", reference="bad-cache")
    for layer in config.layers:
        hex_digest(layer.blob)
        hex_digest(layer.diff_id)
    for record in config.records:
        if len(record.outputs) > MAX_OUTPUTS:
            raise InvalidInput("a result of the cache has too many outputs", reference="bad-cache")
        for output in record.outputs:
            if not all(0 <= number < len(config.layers) for number in output):
                raise InvalidInput("a result of the cache names a layer that isn't there", reference="bad-cache")
    return config


def inline_cache(image_config: bytes) -> CacheConfig | None:
    """Return the cache in an image's configuration; None where it has none.

    Raises:
        InvalidInput: It is malformed.
    """
    try:
        document: Any = json.loads(image_config)
        text = document.get(INLINE_KEY) if isinstance(document, dict) else None
        if not isinstance(text, str):
            return None
        return read_cache(base64.b64decode(text, validate=True))
    except (ValueError, RecursionError, binascii.Error) as error:
        raise InvalidInput("the cache in the image can't be read", reference="bad-cache") from error


def encode_cache(config: CacheConfig) -> bytes:
    """Return the JSON of a cache."""
    return msgspec.json.encode(config)


def encode_inline(config: CacheConfig) -> str:
    """Return a cache for the field of an image's configuration."""
    return base64.b64encode(encode_cache(config)).decode()
