"""Secrets of a swarm; only a manager answers, and never with what is in one."""

from __future__ import annotations

import base64
import builtins
from collections.abc import Mapping

from pyd_core.client.api_client import ApiClient, segment
from pyd_core.client.swarm_update import made_id
from pyd_core.model.secret import Secret

Filters = Mapping[str, list[str]]


class SecretsApi:
    """`engine.secrets`: everything under `/secrets`."""

    def __init__(self, session: ApiClient) -> None:
        self._session = session

    async def list(self, *, filters: Filters | None = None) -> builtins.list[Secret]:
        """Return the secrets."""
        return await self._session.get("/secrets", list[Secret], {"filters": filters})

    async def inspect(self, name: str) -> Secret:
        """Return one secret."""
        return await self._session.get(f"/secrets/{segment(name)}", Secret)

    async def inspect_raw(self, name: str) -> bytes:
        """Return the engine's JSON untouched."""
        return (await self._session.send("GET", f"/secrets/{segment(name)}")).body

    async def create(self, name: str, data: bytes, *, labels: Mapping[str, str] | None = None) -> str:
        """Make a secret of at most 500 KiB and return its id."""
        body = {"Name": name, "Labels": dict(labels or {}), "Data": base64.b64encode(data).decode()}
        return made_id(await self._session.post("/secrets/create", body=body))

    async def remove(self, name: str) -> None:
        """Remove it."""
        await self._session.send("DELETE", f"/secrets/{segment(name)}")
