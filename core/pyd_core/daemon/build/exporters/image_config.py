"""Configurations of exported images: the front end's, completed with the layers (moby/buildkit, `exporter`)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from pyd_core.daemon.images.config import read_config
from pyd_core.daemon.images.load import architecture
from pyd_core.errors import InvalidInput

COMMENT = "buildkit.exporter.image.v0"
"""Marks the history of layers that the front end's configuration doesn't mention."""


def complete_config(body: bytes, diff_ids: Sequence[str], *, created: str) -> bytes:
    """Return a configuration with its layers, a history that fits them, and a time of creation.

    Args:
        body: The front end's configuration; empty makes a plain one.
        diff_ids: The layers.
        created: The time for what has none, as in RFC 3339.

    Raises:
        InvalidInput: The configuration is malformed.
    """
    try:
        document = json.loads(body) if body else {"architecture": architecture(), "os": "linux", "config": {}}
    except (ValueError, RecursionError) as error:
        raise InvalidInput("the image's configuration is no JSON", reference="bad-config") from error
    if not isinstance(document, dict):
        raise InvalidInput("the image's configuration is no object", reference="bad-config")
    document["rootfs"] = {"type": "layers", "diff_ids": list(diff_ids)}
    history = _history(document.get("history") or [], len(diff_ids), created)
    document["history"] = history
    if not document.get("created"):
        document["created"] = history[-1].get("created", created) if history else created
    text = json.dumps(document, separators=(",", ":")).encode()
    read_config(text)
    return text


def _history(given: Any, layers: int, created: str) -> list[dict[str, Any]]:
    if not isinstance(given, list) or not all(isinstance(step, dict) for step in given):
        raise InvalidInput("the image's history is no list of steps", reference="bad-config")
    history = [dict(step) for step in given]
    surplus = sum(not step.get("empty_layer") for step in history) - layers
    for step in history:
        if surplus > 0 and not step.get("empty_layer"):
            step["empty_layer"] = True
            surplus -= 1
    missing = layers - sum(not step.get("empty_layer") for step in history)
    history += [{"created": created, "comment": COMMENT} for _ in range(missing)]
    for step in history:
        if not step.get("created"):
            step["created"] = created
    return history
