"""Configs of a swarm: files for its tasks that aren't secret. Only managers serve them."""

from __future__ import annotations

import base64
import builtins
from collections.abc import Mapping

from pyd_core.client.api_client import ApiClient, segment
from pyd_core.client.swarm_update import created_id
from pyd_core.model.secret import Config

Filters = Mapping[str, list[str]]


class ConfigsApi:
    """`engine.configs`: everything under `/configs`."""

    def __init__(self, client: ApiClient) -> None:
        self._client = client

    async def list(self, *, filters: Filters | None = None) -> builtins.list[Config]:
        """Return the configs with their content."""
        return await self._client.get("/configs", list[Config], {"filters": filters})

    async def inspect(self, name: str) -> Config:
        """Return one config."""
        return await self._client.get(f"/configs/{segment(name)}", Config)

    async def inspect_raw(self, name: str) -> bytes:
        """Return the engine's JSON unchanged."""
        return (await self._client.send("GET", f"/configs/{segment(name)}")).body

    async def create(self, name: str, data: bytes, *, labels: Mapping[str, str] | None = None) -> str:
        """Create a config of at most 1000 KiB and return its id."""
        body = {"Name": name, "Labels": dict(labels or {}), "Data": base64.b64encode(data).decode()}
        return created_id(await self._client.post("/configs/create", body=body))

    async def remove(self, name: str) -> None:
        """Remove a config."""
        await self._client.send("DELETE", f"/configs/{segment(name)}")
