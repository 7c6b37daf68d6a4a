"""Patches as the API server applies them."""

from __future__ import annotations

from typing import Any

MERGE_KEYS = {
    "containers": "name",
    "initContainers": "name",
    "ephemeralContainers": "name",
    "volumes": "name",
    "env": "name",
    "taints": "key",
}


def merge_patch(target: dict[str, Any], patch: dict[str, Any]) -> None:
    """Apply a merge patch (RFC 7396)."""
    for key, value in patch.items():
        if value is None:
            target.pop(key, None)
        elif isinstance(value, dict):
            inner = target.setdefault(key, {})
            if not isinstance(inner, dict):
                inner = target[key] = {}
            merge_patch(inner, value)
        else:
            target[key] = value


def strategic_patch(target: dict[str, Any], patch: dict[str, Any]) -> None:
    """Apply a strategic merge patch: lists with merge keys are merged, and new items are *prepended*."""
    for key, value in patch.items():
        if key.startswith("$"):
            continue
        if value is None:
            target.pop(key, None)
        elif isinstance(value, dict):
            strategic_patch(target.setdefault(key, {}), value)
        elif isinstance(value, list) and key in MERGE_KEYS:
            merged = target.setdefault(key, [])
            name = MERGE_KEYS[key]
            known = {item[name]: item for item in merged}
            fresh = []
            for item in value:
                if item[name] in known:
                    strategic_patch(known[item[name]], item)
                else:
                    fresh.append(item)
            order = [entry[name] for entry in patch.get(f"$setElementOrder/{key}", [])]
            target[key] = [*fresh, *merged]
            if order:
                target[key].sort(key=lambda item: order.index(item[name]) if item[name] in order else len(order))
        else:
            target[key] = value


def json_patch(target: dict[str, Any], steps: list[dict[str, Any]]) -> bool:
    """Apply a JSON patch of `test` and `replace` (RFC 6902), and return whether all tests hold."""
    for step in steps:
        *parents, last = step["path"].strip("/").split("/")
        holder = target
        for name in parents:
            holder = holder[name]
        if step["op"] == "test" and holder.get(last) != step["value"]:
            return False
        if step["op"] == "replace":
            holder[last] = step["value"]
    return True
