"""Lists of any resource, as tables that the API server itself renders."""

from __future__ import annotations

import msgspec

from pyd_core.errors import ProtocolError
from pyd_core.kube.cluster_api import MAX_PAGES, PAGE_ITEMS, TABLE, ClusterApi
from pyd_core.kube.discovery import ApiResource
from pyd_core.kube.model.table import ObjectTable, TableRow
from pyd_core.model.base import decode

MAX_ROWS = 50_000


async def fetch_table(api: ClusterApi, resource: ApiResource) -> ObjectTable:
    """Return all objects of a resource in sight, as a table.

    Raises:
        ProtocolError: The server sends no table, or one without an end.
    """
    rows: list[TableRow] = []
    token = ""
    for _ in range(MAX_PAGES):
        query = {"limit": PAGE_ITEMS, "continue": token or None, "includeObject": "Metadata"}
        answer = await api.send("GET", resource.path(api.access.scope), query, accept=TABLE)
        page = decode(answer.body, ObjectTable, what="table")
        rows += page.rows
        token = page.metadata.next
        if len(rows) > MAX_ROWS:
            raise ProtocolError(f"{api.where} sends more than {MAX_ROWS:,} rows")
        if not token:
            return msgspec.structs.replace(page, rows=rows)
    raise ProtocolError(f"{api.where} never ends a table")
