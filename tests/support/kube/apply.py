"""Server-side apply: which manager owns which field, and what an apply changes."""

from __future__ import annotations

import copy
import json
from typing import Any

from support.kube.ages import timestamp
from support.kube.objects import Object
from support.kube.patch import MERGE_KEYS
from support.kube.resources import Resource
from support.kube.wire import Answer, status

Path = tuple[str, ...]
"""Steps to a field: `f:NAME` of an object, `k:{"name":"x"}` of a list with a merge key."""

UNOWNED = {
    ("f:metadata", f"f:{name}")
    for name in ("name", "namespace", "uid", "resourceVersion", "creationTimestamp", "generation", "managedFields")
}


class ApplyConflict(Exception):
    """The apply is refused."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(str(answer.body))
        self.answer = answer


class ServerSideApply:
    """The managed fields of an object.

    Args:
        document: The object; changed in place.
    """

    def __init__(self, document: Object) -> None:
        self._document = document

    def apply(self, resource: Resource, manager: str, body: Object, *, force: bool) -> None:
        """Apply a configuration as a manager.

        Raises:
            ApplyConflict: Another manager owns a field that would change.
        """
        body = {key: value for key, value in copy.deepcopy(body).items() if key not in {"kind", "apiVersion"}}
        body.get("metadata", {}).pop("managedFields", None)
        applied = {path: value for path, value in _leaves(body).items() if path[:2] not in UNOWNED}
        live = _leaves(self._document)
        entries = self._document["metadata"].get("managedFields") or []
        conflicts = []
        for entry in entries:
            if (entry["manager"], entry["operation"]) == (manager, "Apply"):
                continue
            own = _paths(entry["fieldsV1"])
            taken = {path for path in own & applied.keys() if live.get(path) != applied[path]}
            conflicts += [(entry["manager"], path) for path in sorted(taken)]
            if force and taken:
                entry["fieldsV1"] = _tree(own - taken)
        if conflicts and not force:
            raise ApplyConflict(_conflict(conflicts))
        previous = next(
            (entry for entry in entries if (entry["manager"], entry["operation"]) == (manager, "Apply")), None
        )
        others = {path for entry in entries if entry is not previous for path in _paths(entry["fieldsV1"])}
        if previous is not None:
            for path in _paths(previous["fieldsV1"]) - applied.keys() - others:
                _remove(self._document, path)
        _merge(self._document, body)
        kept = [entry for entry in entries if entry is not previous and entry["fieldsV1"]]
        self._document["metadata"]["managedFields"] = [*kept, _entry(manager, "Apply", resource, set(applied))]

    def record_update(self, resource: Resource, manager: str, before: Object) -> None:
        """Make a manager the owner of the fields that it changed by another verb than apply."""
        now, then = _leaves(self._document), _leaves(before)
        skipped = ("f:status",)
        changed = {
            path for path in now if now[path] != then.get(path) and path[:2] not in UNOWNED and path[:1] != skipped
        }
        if not changed or not manager:
            return
        metadata = self._document["metadata"]
        entries = metadata.get("managedFields") or []
        own: set[Path] = set()
        for entry in entries:
            if (entry["manager"], entry["operation"]) == (manager, "Update"):
                own = _paths(entry["fieldsV1"])
            entry["fieldsV1"] = _tree(_paths(entry["fieldsV1"]) - changed)
        kept = [
            entry
            for entry in entries
            if (entry["manager"], entry["operation"]) != (manager, "Update") and entry["fieldsV1"]
        ]
        metadata["managedFields"] = [*kept, _entry(manager, "Update", resource, own | changed)]


def _entry(manager: str, operation: str, resource: Resource, paths: set[Path]) -> Object:
    return {
        "manager": manager,
        "operation": operation,
        "apiVersion": resource.group_version,
        "time": timestamp(),
        "fieldsType": "FieldsV1",
        "fieldsV1": _tree(paths),
    }


def _conflict(conflicts: list[tuple[str, Path]]) -> Answer:
    causes = [
        {"reason": "FieldManagerConflict", "message": f'conflict with "{manager}"', "field": _dotted(path)}
        for manager, path in conflicts
    ]
    listed = ", ".join(f"{cause['message']}: {cause['field']}" for cause in causes)
    plural = "" if len(causes) == 1 else "s"
    text = f"Apply failed with {len(causes)} conflict{plural}: {listed}"
    return status(409, "Conflict", text, details={"causes": causes})


def _dotted(path: Path) -> str:
    text = ""
    for step in path:
        kind, _, name = step.partition(":")
        if kind == "f":
            text += f".{name}"
        else:
            key, value = next(iter(json.loads(name).items()))
            text += f"[{key}={json.dumps(value)}]"
    return text


def _leaves(value: Any, path: Path = ()) -> dict[Path, Any]:
    """Return the values of all leaves by their paths; a list without a merge key is one leaf."""
    if isinstance(value, dict) and value:
        collected: dict[Path, Any] = {}
        for name, inner in value.items():
            collected |= _leaves(inner, (*path, f"f:{name}"))
        return collected
    key = MERGE_KEYS.get(path[-1].removeprefix("f:")) if path else None
    if key and isinstance(value, list) and value and all(isinstance(item, dict) and key in item for item in value):
        collected = {}
        for item in value:
            collected |= _leaves(item, (*path, "k:" + json.dumps({key: item[key]})))
        return collected
    return {path: value}


def _paths(tree: Object, path: Path = ()) -> set[Path]:
    collected: set[Path] = set()
    for step, inner in tree.items():
        if step == ".":
            continue
        here = (*path, _plain(step))
        collected |= _paths(inner, here) if set(inner) - {"."} else {here}
    return collected


def _plain(step: str) -> str:
    return "k:" + json.dumps(json.loads(step[2:])) if step.startswith("k:") else step


def _tree(paths: set[Path]) -> Object:
    root: Object = {}
    for path in sorted(paths):
        node = root
        for step in path:
            node = node.setdefault(step, {})
    return root


def _remove(document: Object, path: Path) -> None:
    """Remove the field of a path, if it is there."""
    node: Any = document
    for step in path[:-1]:
        kind, _, name = step.partition(":")
        if kind == "f":
            node = node.get(name) if isinstance(node, dict) else None
        else:
            key, value = next(iter(json.loads(name).items()))
            node = next((item for item in node or [] if item.get(key) == value), None)
        if node is None:
            return
    if isinstance(node, dict):
        node.pop(path[-1].partition(":")[2], None)


def _merge(target: Object, source: Object) -> None:
    for name, value in source.items():
        key = MERGE_KEYS.get(name)
        if isinstance(value, dict) and isinstance(target.get(name), dict):
            _merge(target[name], value)
        elif key and isinstance(value, list) and isinstance(target.get(name), list):
            known = {item.get(key): item for item in target[name]}
            for item in value:
                if item.get(key) in known:
                    _merge(known[item[key]], item)
                else:
                    target[name].append(item)
        else:
            target[name] = value
