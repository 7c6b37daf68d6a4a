"""Filters of lists, as `docker ps --filter` has them, for providers whose API has none."""

from __future__ import annotations

from collections.abc import Mapping

from pyd_core.model.container import ContainerSummary

Filters = Mapping[str, list[str]]


def matches(entry: ContainerSummary, filters: Filters, *, all: bool) -> bool:
    """Return whether a list shows a container; without `all`, only running ones and those of a status asked for."""
    statuses = filters.get("status", [])
    if not (all or statuses) and entry.state != "running":
        return False
    if statuses and entry.state not in statuses:
        return False
    names = filters.get("name", [])
    if names and not any(name in known for name in names for known in entry.names):
        return False
    for text in filters.get("label", []):
        key, equals, value = text.partition("=")
        if key not in entry.labels or (equals and entry.labels[key] != value):
            return False
    ids = filters.get("id", [])
    return not ids or any(entry.id.startswith(prefix) for prefix in ids)
