"""Patches as the API server applies them."""

from __future__ import annotations

import copy
from typing import Any

MERGE_KEYS = {
    "containers": "name",
    "initContainers": "name",
    "ephemeralContainers": "name",
    "volumes": "name",
    "env": "name",
    "taints": "key",
    "conditions": "type",
    "imagePullSecrets": "name",
    "volumeMounts": "mountPath",
    "ownerReferences": "uid",
}
"""Lists that are merged by a field of their items."""


class PatchRefused(Exception):
    """The patch does not fit the object."""


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
    if patch.get("$patch") == "replace":
        target.clear()
    for key, value in patch.items():
        if key.startswith("$"):
            _directive(target, key, value)
        elif value is None:
            target.pop(key, None)
        elif isinstance(value, dict):
            if not isinstance(target.get(key), dict):
                target[key] = {}
            strategic_patch(target[key], value)
        elif isinstance(value, list) and _merge_key(key, value):
            _merge_list(target, key, value, patch)
        else:
            target[key] = value


def _merge_key(field: str, items: list[Any]) -> str:
    """Return the field by which a list is merged; ports have another one in pods than in services."""
    if field == "ports":
        return "containerPort" if all("containerPort" in item for item in items) else "port"
    return MERGE_KEYS.get(field, "")


def _directive(target: dict[str, Any], key: str, value: Any) -> None:
    if key == "$retainKeys":
        for name in set(target) - set(value):
            del target[name]
    elif key.startswith("$deleteFromPrimitiveList/"):
        field = key.partition("/")[2]
        target[field] = [item for item in target.get(field, []) if item not in value]


def _merge_list(target: dict[str, Any], key: str, items: list[Any], patch: dict[str, Any]) -> None:
    name = _merge_key(key, items)
    if any(item.get("$patch") == "replace" for item in items):
        target[key] = [item for item in items if "$patch" not in item]
        return
    merged = target.get(key) or []
    known = {item[name]: item for item in merged if name in item}
    fresh = []
    for item in items:
        if item.get("$patch") == "delete":
            merged = [present for present in merged if present.get(name) != item[name]]
        elif item[name] in known:
            strategic_patch(known[item[name]], item)
        else:
            fresh.append(item)
    order = [entry[name] for entry in patch.get(f"$setElementOrder/{key}", [])]
    target[key] = [*fresh, *merged]
    if order:
        target[key].sort(key=lambda item: order.index(item[name]) if item[name] in order else len(order))


def json_patch(target: dict[str, Any], steps: list[dict[str, Any]]) -> None:
    """Apply a JSON patch (RFC 6902) in place.

    Raises:
        PatchRefused: A test fails, or a path leads nowhere.
    """
    for step in steps:
        *parents, last = [part.replace("~1", "/").replace("~0", "~") for part in step["path"].split("/")[1:]]
        try:
            holder: Any = target
            for part in parents:
                holder = holder[int(part)] if isinstance(holder, list) else holder[part]
            _json_step(target, step, holder, last)
        except (KeyError, IndexError, ValueError, TypeError) as error:
            raise PatchRefused("the server rejected our request due to an error in our request") from error


def _json_step(target: dict[str, Any], step: dict[str, Any], holder: Any, last: str) -> None:
    key: Any = last if isinstance(holder, dict) else (len(holder) if last == "-" else int(last))
    match step["op"]:
        case "test":
            present = holder.get(key) if isinstance(holder, dict) else holder[key]
            if present != step["value"]:
                raise ValueError
        case "remove":
            del holder[key]
        case "replace" if isinstance(holder, list) or key in holder:
            holder[key] = step["value"]
        case "add" if isinstance(holder, list):
            holder.insert(key, step["value"])
        case "add":
            holder[key] = step["value"]
        case "copy" | "move":
            value: Any = target
            *parents, name = step["from"].split("/")[1:]
            for part in parents:
                value = value[int(part)] if isinstance(value, list) else value[part]
            holder[key] = copy.deepcopy(value[name])
            if step["op"] == "move":
                del value[name]
        case _:
            raise ValueError
