"""Configs of a swarm: files for its tasks that are no secrets; only a manager answers."""

from __future__ import annotations

import base64
import builtins
from collections.abc import Mapping

from pyd_core.client.api_client import ApiClient, segment
from pyd_core.client.swarm_update import made_id
from pyd_core.model.secret import Config

Filters = Mapping[str, list[str]]


class ConfigsApi:
    """`engine.configs`: everything under `/configs`."""

    def __init__(self, session: ApiClient) -> None:
        self._session = session

    async def list(self, *, filters: Filters | None = None) -> builtins.list[Config]:
        """Return the configs, with what is in them."""
        return await self._session.get("/configs", list[Config], {"filters": filters})

    async def inspect(self, name: str) -> Config:
        """Return one config."""
        return await self._session.get(f"/configs/{segment(name)}", Config)

    async def inspect_raw(self, name: str) -> bytes:
        """Return the engine's JSON untouched."""
        return (await self._session.send("GET", f"/configs/{segment(name)}")).body

    async def create(self, name: str, data: bytes, *, labels: Mapping[str, str] | None = None) -> str:
        """Make a config of at most 1000 KiB and return its id."""
        body = {"Name": name, "Labels": dict(labels or {}), "Data": base64.b64encode(data).decode()}
        return made_id(await self._session.post("/configs/create", body=body))

    async def remove(self, name: str) -> None:
        """Remove it."""
        await self._session.send("DELETE", f"/configs/{segment(name)}")
