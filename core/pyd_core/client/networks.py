"""Networks of an engine."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from pyd_core.client.api_client import ApiClient, segment
from pyd_core.errors import NotFound
from pyd_core.model.base import decode
from pyd_core.model.network import (
    ConnectBody,
    DisconnectBody,
    EndpointSettings,
    Network,
    NetworkBody,
    NetworkCreated,
    NetworksPruned,
)

Filters = Mapping[str, list[str]]


class NetworksApi:
    """`engine.networks`: everything under `/networks`."""

    def __init__(self, client: ApiClient) -> None:
        self._client = client

    async def list(self, *, filters: Filters | None = None) -> list[Network]:
        """Return the networks, without their members."""
        return await self._client.get("/networks", list[Network], {"filters": filters})

    async def inspect(self, name: str) -> Network:
        """Return one network with its running members."""
        return await self._client.get(f"/networks/{segment(name)}", Network)

    async def inspect_raw(self, name: str) -> bytes:
        """Return the engine's JSON unchanged."""
        return (await self._client.send("GET", f"/networks/{segment(name)}")).body

    async def create(self, body: NetworkBody) -> str:
        """Create a network and return its id."""
        sent = msgspec.structs.replace(body, check_duplicate=True)  # else API 1.43 makes a second one of that name
        return decode(await self._client.post("/networks/create", body=sent), NetworkCreated).id

    async def prune(self, *, filters: Filters | None = None) -> NetworksPruned:
        """Remove all that no container uses."""
        return decode(await self._client.post("/networks/prune", {"filters": filters}), NetworksPruned)

    async def connect(self, name: str, container: str, settings: EndpointSettings | None = None) -> None:
        """Put a container on it, with addresses, aliases and links as `settings` says."""
        body = ConnectBody(container=container, endpoint_config=settings)
        await self._client.post(f"/networks/{segment(name)}/connect", body=body)

    async def disconnect(self, name: str, container: str, *, force: bool = False) -> None:
        """Take a container off it."""
        body = DisconnectBody(container=container, force=force)
        await self._client.post(f"/networks/{segment(name)}/disconnect", body=body)

    async def remove(self, name: str, *, force: bool = False) -> None:
        """Remove it; `force` is content when there is none."""
        try:
            await self._client.send("DELETE", f"/networks/{segment(name)}")
        except NotFound:
            if not force:
                raise
