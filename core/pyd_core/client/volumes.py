"""Volumes of an engine."""

from __future__ import annotations

from collections.abc import Mapping

from pyd_core.client.api_client import ApiClient, segment
from pyd_core.model.base import decode
from pyd_core.model.volume import Volume, VolumeBody, VolumeList, VolumesPruned

Filters = Mapping[str, list[str]]


class VolumesApi:
    """`engine.volumes`: everything under `/volumes`."""

    def __init__(self, session: ApiClient) -> None:
        self._session = session

    async def list(self, *, filters: Filters | None = None) -> list[Volume]:
        """Return the volumes."""
        return (await self._session.get("/volumes", VolumeList, {"filters": filters})).volumes

    async def inspect(self, name: str) -> Volume:
        """Return one volume."""
        return await self._session.get(f"/volumes/{segment(name)}", Volume)

    async def inspect_raw(self, name: str) -> bytes:
        """Return the engine's JSON untouched."""
        return (await self._session.send("GET", f"/volumes/{segment(name)}")).body

    async def create(self, body: VolumeBody | None = None) -> Volume:
        """Make a volume; the engine names it when the caller doesn't."""
        return decode(await self._session.post("/volumes/create", body=body or VolumeBody()), Volume)

    async def remove(self, name: str, *, force: bool = False) -> None:
        """Remove it, with all that is in it."""
        await self._session.send("DELETE", f"/volumes/{segment(name)}", {"force": force or None})

    async def prune(self, *, filters: Filters | None = None, all: bool = False) -> VolumesPruned:
        """Remove the anonymous ones that no container uses, and with `all` the named ones too.

        Before API 1.42, and so on Podman, named ones are always removed too, and there is no such filter.
        """
        chosen = dict(filters or {})
        if all and await self._session.speaks(1, 42):
            chosen["all"] = ["true"]
        return decode(await self._session.post("/volumes/prune", {"filters": chosen}), VolumesPruned)
