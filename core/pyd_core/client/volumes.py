"""Volumes of an engine."""

from __future__ import annotations

from collections.abc import Mapping

from pyd_core.client.api_client import ApiClient, segment
from pyd_core.model.base import decode
from pyd_core.model.volume import Volume, VolumeBody, VolumeList, VolumesPruned

Filters = Mapping[str, list[str]]


class VolumesApi:
    """`engine.volumes`: everything under `/volumes`."""

    def __init__(self, client: ApiClient) -> None:
        self._client = client

    async def list(self, *, filters: Filters | None = None) -> list[Volume]:
        """Return the volumes."""
        return (await self._client.get("/volumes", VolumeList, {"filters": filters})).volumes

    async def inspect(self, name: str) -> Volume:
        """Return one volume."""
        return await self._client.get(f"/volumes/{segment(name)}", Volume)

    async def inspect_raw(self, name: str) -> bytes:
        """Return the engine's JSON unchanged."""
        return (await self._client.send("GET", f"/volumes/{segment(name)}")).body

    async def create(self, body: VolumeBody | None = None) -> Volume:
        """Create a volume; the engine names it when the caller doesn't."""
        return decode(await self._client.post("/volumes/create", body=body or VolumeBody()), Volume)

    async def remove(self, name: str, *, force: bool = False) -> None:
        """Remove it, with all that is in it."""
        await self._client.send("DELETE", f"/volumes/{segment(name)}", {"force": force or None})

    async def prune(self, *, filters: Filters | None = None, all: bool = False) -> VolumesPruned:
        """Remove the anonymous ones that no container uses, and with `all` the named ones too.

        Before API 1.42, and so on Podman, named ones are always removed too, and there is no such filter.
        """
        chosen_filters = dict(filters or {})
        if all and await self._client.supports_version(1, 42):
            chosen_filters["all"] = ["true"]
        return decode(await self._client.post("/volumes/prune", {"filters": chosen_filters}), VolumesPruned)
