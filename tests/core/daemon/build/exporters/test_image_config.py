"""Configurations of exported images."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pyd_core.daemon.build.exporters.image_config import COMMENT, ExportedLayer, complete_config
from pyd_core.errors import InvalidInput

NOW, BASE, BUILT = "2026-01-03T00:00:00Z", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"
LAYERS = [ExportedLayer("sha256:" + "a" * 64), ExportedLayer("sha256:" + "b" * 64, BUILT)]


def _complete(history: list[dict[str, Any]], layers: list[ExportedLayer] = LAYERS) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(complete_config(json.dumps({"history": history}).encode(), layers, now=NOW))
    return document


def test_steps_without_a_time_get_that_of_their_layer_or_of_the_first_new_one() -> None:
    history: list[dict[str, Any]] = [
        {"created": BASE},
        {"created_by": "ENV", "empty_layer": True},
        {"created_by": "RUN"},
    ]
    document = _complete(history)
    assert [step["created"] for step in document["history"]] == [BASE, BUILT, BUILT]
    assert document["created"] == BUILT
    assert document["rootfs"] == {"type": "layers", "diff_ids": [layer.diff_id for layer in LAYERS]}


def test_the_same_layers_make_the_same_configuration_at_any_time() -> None:
    body = json.dumps({"history": [{"created_by": "RUN"}]}).encode()
    assert complete_config(body, LAYERS[1:], now=NOW) == complete_config(body, LAYERS[1:], now=BASE)


def test_layers_without_a_step_get_one() -> None:
    document = _complete([])
    assert [step["comment"] for step in document["history"]] == [COMMENT, COMMENT]


def test_steps_without_a_layer_become_empty_ones() -> None:
    document = _complete([{"created_by": "a"}, {"created_by": "b"}], LAYERS[1:])
    assert [step.get("empty_layer", False) for step in document["history"]] == [True, False]


def test_an_image_without_anything_is_created_now() -> None:
    document = json.loads(complete_config(b"", [], now=NOW))
    assert document["created"] == NOW
    assert document["os"] == "linux"


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"history": 5}', b'{"history": [5]}', b"[" * 100_000])
def test_malformed_configurations_are_refused(body: bytes) -> None:
    with pytest.raises(InvalidInput):
        complete_config(body, LAYERS, now=NOW)
