"""Secrets of a swarm, without their content. Only managers serve them."""

from __future__ import annotations

import base64
import builtins
from collections.abc import Mapping

from pyd_core.client.api_client import ApiClient, segment
from pyd_core.client.swarm_update import created_id
from pyd_core.model.secret import Secret

Filters = Mapping[str, list[str]]


class SecretsApi:
    """`engine.secrets`: everything under `/secrets`."""

    def __init__(self, client: ApiClient) -> None:
        self._client = client

    async def list(self, *, filters: Filters | None = None) -> builtins.list[Secret]:
        """Return the secrets."""
        return await self._client.get("/secrets", list[Secret], {"filters": filters})

    async def inspect(self, name: str) -> Secret:
        """Return one secret."""
        return await self._client.get(f"/secrets/{segment(name)}", Secret)

    async def inspect_raw(self, name: str) -> bytes:
        """Return the engine's JSON unchanged."""
        return (await self._client.send("GET", f"/secrets/{segment(name)}")).body

    async def create(self, name: str, data: bytes, *, labels: Mapping[str, str] | None = None) -> str:
        """Create a secret of at most 500 KiB and return its id."""
        body = {"Name": name, "Labels": dict(labels or {}), "Data": base64.b64encode(data).decode()}
        return created_id(await self._client.post("/secrets/create", body=body))

    async def remove(self, name: str) -> None:
        """Remove it."""
        await self._client.send("DELETE", f"/secrets/{segment(name)}")
