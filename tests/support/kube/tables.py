"""Tables of objects, with a few of the columns that the real server prints."""

from __future__ import annotations

from typing import Any

Object = dict[str, Any]


def table_of(resource: str, items: list[Object], version: str) -> Object:
    """Return objects as a Table."""
    columns = COLUMNS.get(resource, ["Name", "Created At"])
    definitions = [
        {"name": name, "type": "string", "format": "name" if name == "Name" else "", "description": "", "priority": 0}
        for name in columns
    ]
    rows = [
        {
            "cells": [_cell(item, name) for name in columns],
            "object": {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": item["metadata"]},
        }
        for item in items
    ]
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {"resourceVersion": version},
        "columnDefinitions": definitions,
        "rows": rows,
    }


COLUMNS = {
    "configmaps": ["Name", "Data", "Age"],
    "secrets": ["Name", "Type", "Data", "Age"],
    "services": ["Name", "Type", "Cluster-IP", "Age"],
    "deployments": ["Name", "Ready", "Age"],
    "nodes": ["Name", "Status", "Version", "Age"],
}


def _cell(item: Object, column: str) -> Any:  # noqa: PLR0911 - a value for each column
    match column:
        case "Name":
            return item["metadata"]["name"]
        case "Data":
            return len(item.get("data") or {})
        case "Type":
            return item.get("type") or item.get("spec", {}).get("type", "")
        case "Cluster-IP":
            return item.get("spec", {}).get("clusterIP", "")
        case "Ready":
            return f"{item.get('status', {}).get('readyReplicas', 0)}/{item.get('spec', {}).get('replicas', 0)}"
        case "Status":
            conditions = {entry["type"]: entry["status"] for entry in item.get("status", {}).get("conditions", [])}
            return "Ready" if conditions.get("Ready") == "True" else "NotReady"
        case "Version":
            return item.get("status", {}).get("nodeInfo", {}).get("kubeletVersion", "")
    return item["metadata"].get("creationTimestamp")
