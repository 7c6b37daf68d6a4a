"""Tables of objects, as the API server prints them for `kubectl get`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from support.kube.columns import COLUMNS, other_cells

Object = dict[str, Any]


def definitions(resource: str) -> list[Object]:
    """Return the column definitions of a resource."""
    names, _ = COLUMNS.get(resource, ("Name Created_At", other_cells))
    return [_definition(name) for name in names.split()]


def _definition(column: str) -> Object:
    name = column.rstrip("+#?").replace("_", " ")
    kind = "integer" if "#" in column else "boolean" if "?" in column else "string"
    return {
        "name": name,
        "type": "date" if name == "Created At" else kind,
        "format": "name" if name == "Name" else "",
        "description": "",
        "priority": 1 if column.endswith("+") else 0,
    }


def rows(resource: str, items: list[Object], *, include: str = "Metadata", now: datetime | None = None) -> list[Object]:
    """Return the rows of objects.

    Args:
        resource: The plural of the resource.
        items: The objects.
        include: What each row carries: `None`, `Metadata` or `Object`.
        now: The moment from which ages count.
    """
    moment = now or datetime.now(UTC)
    _, cells = COLUMNS.get(resource, ("", other_cells))
    return [{"cells": cells(item, moment), "object": _carried(item, include)} for item in items]


def _carried(item: Object, include: str) -> Object | None:
    if include == "None":
        return None
    if include == "Object":
        return item
    return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": item["metadata"]}


def table_of(
    resource: str, items: list[Object], metadata: Object, *, include: str = "Metadata", heading: bool = True
) -> Object:
    """Return objects as a Table, with its column definitions where `heading` is set."""
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": metadata,
        "columnDefinitions": definitions(resource) if heading else None,
        "rows": rows(resource, items, include=include),
    }
