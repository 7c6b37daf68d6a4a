"""Nodes of a swarm; only a manager answers."""

from __future__ import annotations

import builtins
from collections.abc import Mapping

from pyd_core.client.api_client import ApiClient, segment
from pyd_core.client.swarm_update import Edit, edit
from pyd_core.model.node import Node

Filters = Mapping[str, list[str]]


class NodesApi:
    """`engine.nodes`: everything under `/nodes`. The id of an engine's own is in `engine.system.info()`."""

    def __init__(self, client: ApiClient) -> None:
        self._client = client

    async def list(self, *, filters: Filters | None = None) -> builtins.list[Node]:
        """Return the nodes."""
        return await self._client.get("/nodes", list[Node], {"filters": filters})

    async def inspect(self, name: str) -> Node:
        """Return one node."""
        return await self._client.get(f"/nodes/{segment(name)}", Node)

    async def inspect_raw(self, name: str) -> bytes:
        """Return the engine's JSON unchanged."""
        return (await self._client.send("GET", f"/nodes/{segment(name)}")).body

    async def edit(self, name: str, change: Edit) -> None:
        """Change a node's spec (`Role`, `Availability`, `Labels`) by a function that edits it in place."""
        await edit(self._client, "nodes", name, change)

    async def remove(self, name: str, *, force: bool = False) -> None:
        """Forget a node that has left, or with `force` one that hasn't."""
        await self._client.send("DELETE", f"/nodes/{segment(name)}", {"force": force or None})
