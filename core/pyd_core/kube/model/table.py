"""Tables, in which the API server itself renders objects of any kind."""

from __future__ import annotations

from typing import Any

from pyd_core.kube.model.meta import AnyObject, ClusterStruct, ListMeta


class TableColumnDefinition(ClusterStruct):
    """Column of a table."""

    name: str = ""
    type: str = ""
    """`string`, `integer`, `number`, `boolean` or `date`."""
    format: str = ""
    description: str = ""
    priority: int = 0
    """0 is shown always, others only with `-o wide`."""


class TableRow(ClusterStruct):
    """Row of a table; its cells are in the order of the columns."""

    cells: list[Any] = []
    object: AnyObject | None = None


class ObjectTable(ClusterStruct):
    """Table of objects (`meta.k8s.io/v1`, Table). Watches send tables without columns."""

    metadata: ListMeta = ListMeta()
    column_definitions: list[TableColumnDefinition] = []
    rows: list[TableRow] = []
