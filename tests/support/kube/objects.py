"""The objects of a scripted cluster, and the history that its watches replay."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

Object = dict[str, Any]


@dataclass
class Change:
    """A change in the history."""

    version: int
    resource: str
    type: str
    object: Object


class Objects:
    """All objects by resource, namespace and name. Every change gets the next resource version."""

    def __init__(self) -> None:
        self.version = 1000
        self.oldest = 0
        """Versions up to this one are compacted: watches from there are answered with 410."""
        self._stored: dict[tuple[str, str, str], Object] = {}
        self.history: list[Change] = []
        self.changed = asyncio.Condition()

    def put(self, resource: str, document: Object) -> Object:
        """Store an object and record the change; call `announce` to wake watches."""
        metadata = document.setdefault("metadata", {})
        key = (resource, metadata.get("namespace", ""), metadata["name"])
        kind = "MODIFIED" if key in self._stored else "ADDED"
        self.version += 1
        metadata["resourceVersion"] = str(self.version)
        metadata.setdefault("uid", f"uid-{resource}-{metadata.get('namespace', '')}-{metadata['name']}")
        self._stored[key] = document
        self.history.append(Change(self.version, resource, kind, copy.deepcopy(document)))
        return document

    def fill(self, resource: str, documents: Iterable[Object]) -> None:
        """Store many objects at once, which no watch reports."""
        for document in documents:
            self.version += 1
            metadata = document["metadata"] | {"resourceVersion": str(self.version)}
            self._stored[resource, metadata.get("namespace", ""), metadata["name"]] = document | {"metadata": metadata}

    def remove(self, resource: str, namespace: str, name: str) -> Object | None:
        """Remove an object and record the change."""
        document = self._stored.pop((resource, namespace, name), None)
        if document is not None:
            self.version += 1
            document = copy.deepcopy(document)
            document["metadata"]["resourceVersion"] = str(self.version)
            self.history.append(Change(self.version, resource, "DELETED", document))
        return document

    def get(self, resource: str, namespace: str, name: str) -> Object | None:
        """Return an object."""
        return self._stored.get((resource, namespace, name))

    def select(self, resource: str, namespace: str, keep: Callable[[Object], bool]) -> list[Object]:
        """Return objects in the order of their names, as the API server lists them."""
        return [
            document
            for (kind, space, _), document in sorted(self._stored.items(), key=lambda item: item[0])
            if kind == resource and (not namespace or space == namespace) and keep(document)
        ]

    def since(self, resource: str, namespace: str, version: int) -> Iterator[Change]:
        """Yield the recorded changes after a version."""
        for change in self.history:
            space = change.object["metadata"].get("namespace", "")
            if change.version > version and change.resource == resource and namespace in {"", space}:
                yield change

    async def announce(self) -> None:
        """Wake all watches."""
        async with self.changed:
            self.changed.notify_all()
