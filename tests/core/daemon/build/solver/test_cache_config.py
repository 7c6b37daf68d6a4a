"""The format of exported caches."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pyd_core.daemon.build.solver.cache_config import (
    INLINE_KEY,
    TraceEntry,
    cache_of,
    encode_cache,
    encode_inline,
    inline_cache,
    read_cache,
)
from pyd_core.daemon.images.layers import StoredLayer
from pyd_core.errors import InvalidInput


def _digest(letter: str) -> str:
    return "sha256:" + letter * 64


def _layer(letter: str) -> StoredLayer:
    return StoredLayer(diff_id=_digest(letter), blob=_digest(letter), media="m", size=1, packed=2)


TRACE = [
    TraceEntry(keys=("k1",), identity="k1", outputs=(("a",),), name="one"),
    TraceEntry(keys=("k2", "k3", "k2+random"), identity="k2", outputs=(("a", "b"), ()), name="two"),
    TraceEntry(keys=("k4",), identity="k4", outputs=(("a", "c"),), name="not stored"),
]
STORED = {"a": _layer("a"), "b": _layer("b")}


def test_a_cache_has_each_layer_once_and_only_keys_that_mean_the_same_elsewhere() -> None:
    config = read_cache(encode_cache(cache_of(TRACE, STORED)))
    assert [layer.diff_id for layer in config.layers] == [_digest("a"), _digest("b")]
    assert [(record.digest, record.outputs) for record in config.records] == [
        ("k1", [[0]]),
        ("k2", [[0, 1], []]),
        ("k3", [[0, 1], []]),
    ]


def test_a_cache_survives_in_an_image() -> None:
    config = cache_of(TRACE, STORED)
    assert inline_cache(json.dumps({INLINE_KEY: encode_inline(config)}).encode()) == config
    assert inline_cache(b"{}") is None


@pytest.mark.parametrize(
    "document",
    [
        [],
        {"layers": [{"blob": "../../etc/passwd", "diffID": _digest("a")}]},
        {"layers": [{"blob": _digest("a"), "diffID": "x"}]},
        {"records": [{"digest": "k", "outputs": [[0]]}]},
        {"layers": [{"blob": _digest("a"), "diffID": _digest("a")}], "records": [{"digest": "k", "outputs": [[-1]]}]},
        {"records": [{"digest": "k", "outputs": [[]] * 1000}]},
        {"records": [{"digest": 5}]},
    ],
)
def test_a_hostile_cache_is_refused(document: Any) -> None:
    with pytest.raises(InvalidInput):
        read_cache(json.dumps(document).encode())


@pytest.mark.parametrize("body", [b"[", b'{"moby.buildkit.cache.v0": "!"}', b'{"moby.buildkit.cache.v0": "AAAA"}'])
def test_a_malformed_cache_in_an_image_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidInput):
        inline_cache(body)
