"""Configurations of exported images: the front end's, completed with the layers (moby/buildkit, `exporter`)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pyd_core.daemon.build.solver.cache_config import INLINE_KEY
from pyd_core.daemon.images.config import read_config
from pyd_core.daemon.images.load import architecture
from pyd_core.errors import InvalidInput
from pyd_core.model.base import parse_time

COMMENT = "buildkit.exporter.image.v0"
"""Marks the history of layers that the front end's configuration doesn't mention."""


@dataclass(frozen=True)
class ExportedLayer:
    """A layer of an exported image.

    Attributes:
        created: When a build made it, as in RFC 3339; empty for a base image's.
    """

    diff_id: str
    created: str = ""


def complete_config(
    body: bytes, layers: Sequence[ExportedLayer], *, now: str, epoch: str = "", cache: str = ""
) -> bytes:
    """Return a configuration with its layers, a history that fits them, and a time of creation.

    Times come from the layers, so that a build whose steps are all cached makes the same image again.

    Args:
        body: The front end's configuration; empty makes a plain one.
        layers: The layers.
        now: The time for an image that has no other.
        cache: The build's cache, for the configuration.
        epoch: The time of the image, and the latest one of its steps, as in RFC 3339 with UTC; empty sets none.

    Raises:
        InvalidInput: The configuration is malformed.
    """
    try:
        document = json.loads(body) if body else {"architecture": architecture(), "os": "linux", "config": {}}
    except (ValueError, RecursionError) as error:
        raise InvalidInput("the image's configuration is no JSON", reference="bad-config") from error
    if not isinstance(document, dict):
        raise InvalidInput("the image's configuration is no object", reference="bad-config")
    document["rootfs"] = {"type": "layers", "diff_ids": [layer.diff_id for layer in layers]}
    history = _history(document.get("history") or [], layers)
    document["history"] = history
    if not document.get("created"):
        times = [step["created"] for step in history if step.get("created")]
        document["created"] = times[-1] if times else now
    document.pop(INLINE_KEY, None)
    if cache:
        document[INLINE_KEY] = cache
    if epoch:
        document["created"] = epoch
        for step in history:
            if not step.get("created") or (parse_time(step["created"]) or 0) > (parse_time(epoch) or 0):
                step["created"] = epoch
    text = json.dumps(document, separators=(",", ":")).encode()
    read_config(text)
    return text


def _history(given: Any, layers: Sequence[ExportedLayer]) -> list[dict[str, Any]]:
    if not isinstance(given, list) or not all(isinstance(step, dict) for step in given):
        raise InvalidInput("the image's history is no list of steps", reference="bad-config")
    history = [dict(step) for step in given]
    surplus = sum(not step.get("empty_layer") for step in history) - len(layers)
    for step in history:
        if surplus > 0 and not step.get("empty_layer"):
            step["empty_layer"] = True
            surplus -= 1
    missing = len(layers) - sum(not step.get("empty_layer") for step in history)
    history += [{"comment": COMMENT} for _ in range(missing)]
    remaining = iter(layers)
    for step in history:
        if not step.get("empty_layer"):
            layer = next(remaining)
            if not step.get("created") and layer.created:
                step["created"] = layer.created
    _fill_times(history)
    return history


def _fill_times(history: Sequence[dict[str, Any]]) -> None:
    """Give steps without a time that of the layer before, or of the first new layer."""
    current, has_gap = "", False
    for step in history:
        if step.get("created"):
            current = step["created"]
            if has_gap:
                break
        else:
            has_gap = True
    has_gap = False
    for step in history:
        if not step.get("created"):
            has_gap = True
            if current:
                step["created"] = current
        elif has_gap:
            current = step["created"]
