"""Images of an engine."""

from __future__ import annotations

from collections.abc import AsyncIterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager

from pyd_core.engine.session import Session, segment
from pyd_core.engine.transport.base import Stream
from pyd_core.errors import EngineError
from pyd_core.model.base import decode
from pyd_core.model.image import HistoryLayer, Image, ImagesPruned, ImageSummary, Removed
from pyd_core.sanitise import safe

Filters = Mapping[str, list[str]]
LayerList = list[HistoryLayer]
RemovedList = list[Removed]


class Images:
    """`engine.images`: everything under `/images`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def list(self, *, all: bool = False, filters: Filters | None = None) -> list[ImageSummary]:
        """Returns the images; intermediate layers too with `all`."""
        return await self._session.get("/images/json", list[ImageSummary], {"all": all, "filters": filters})

    async def inspect(self, name: str) -> Image:
        """Returns all there is to know about one image."""
        return decode(await self.inspect_raw(name), Image, what=f"inspect of {name}")

    async def inspect_raw(self, name: str) -> bytes:
        """Returns the engine's JSON untouched."""
        return (await self._session.send("GET", f"/images/{segment(name)}/json")).body

    async def history(self, name: str) -> LayerList:
        """Returns the steps of its making, newest first."""
        return await self._session.get(f"/images/{segment(name)}/history", LayerList)

    async def tag(self, name: str, *, repository: str, tag: str) -> None:
        """Gives it another name."""
        await self._session.post(f"/images/{segment(name)}/tag", {"repo": repository, "tag": tag})

    async def remove(self, name: str, *, force: bool = False, prune: bool = True) -> RemovedList:
        """Removes a name, and the image when that was its last."""
        query = {"force": force or None, "noprune": None if prune else True}
        answer = await self._session.send("DELETE", f"/images/{segment(name)}", query, timeout=None)
        return decode(answer.body, RemovedList)

    async def prune(self, *, filters: Filters | None = None) -> ImagesPruned:
        """Removes the untagged ones that no container uses; all unused ones with the filter `dangling=["false"]`."""
        return decode(await self._session.post("/images/prune", {"filters": filters}), ImagesPruned)

    def save(self, names: Sequence[str]) -> AbstractAsyncContextManager[Stream]:
        """Streams a tar of images as `docker save` writes it."""
        query = "&".join(f"names={segment(name)}" for name in names)
        return self._session.stream("GET", f"/images/get?{query}")

    def pull(
        self, name: str, *, tag: str | None = None, platform: str | None = None
    ) -> AbstractAsyncContextManager[Stream]:
        """Pulls from a registry and streams the progress."""
        query = {"fromImage": name, "tag": tag, "platform": platform}
        return self._session.stream("POST", "/images/create", query)

    def load(self, archive: bytes | AsyncIterable[bytes]) -> AbstractAsyncContextManager[Stream]:
        """Loads images from a tar as `docker save` writes it, and streams the progress."""
        kind = {"Content-Type": "application/x-tar"}
        return self._session.stream("POST", "/images/load", {"quiet": False}, raw=archive, headers=kind)

    async def import_archive(
        self, archive: bytes | AsyncIterable[bytes], *, repository: str, tag: str, change: str = ""
    ) -> None:
        """Makes an image of one layer from a tar of its files.

        Args:
            archive: The tar.
            repository: The image's name.
            tag: Its tag.
            change: A line as in a Dockerfile, for example `LABEL a=b`.
        """
        query = {"fromSrc": "-", "repo": repository, "tag": tag, "changes": change or None}
        kind = {"Content-Type": "application/x-tar"}
        answer = await self._session.send("POST", "/images/create", query, raw=archive, headers=kind, timeout=None)
        if b'"error"' in answer.body:  # told in the stream, with status 200
            raise EngineError(f"the engine didn't take the image: {safe(answer.body[-300:].decode(errors='replace'))}")
