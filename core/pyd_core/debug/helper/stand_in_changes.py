"""A session's changes in a container that stands in for one that doesn't run, or for an image: asked of the engine."""

from __future__ import annotations

import io
import tarfile
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import IO

from pyd_core.client.api_client import ApiClient
from pyd_core.client.containers import ContainersApi
from pyd_core.debug.clone import PROGRAM
from pyd_core.debug.stopped.archive import add_whiteout
from pyd_core.debug.stopped.changes import ADDED, DELETED, MODIFIED, ChangedPath
from pyd_core.errors import NotFound
from pyd_core.model.archive import PathStat

_KINDS = (MODIFIED, ADDED, DELETED)
"""By number, as `docker diff` counts them."""
_HEAD = 1 << 16
"""Bytes of a tar that hold the first entry's headers: extended attributes are at most as much in practice."""


class StandInChanges:
    """The `Source` of a stand-in's changes.

    The engine's archive API returns a path as one entry of a tar; of a directory it is the first entry, and the rest
    isn't read. Hard links become files of their own.

    Args:
        session: The engine.
        stand_in: Its id.
        image: Its image: the target's files as they were when the session began.
        model: The target's id.
        labels: Labels for temporary containers.
    """

    def __init__(self, session: ApiClient, stand_in: str, image: str, model: str, labels: dict[str, str]) -> None:
        self._containers = ContainersApi(session)
        self._stand_in = stand_in
        self._image = image
        self._model = model
        self._labels = labels
        self._holding: list[str] = []
        """Directories that hold changes and may have changed themselves, which `docker diff` doesn't distinguish."""

    async def find(self) -> list[ChangedPath]:
        """See `Source`; a directory that merely holds changes is none."""
        changes = [
            ChangedPath(path=change.path, kind=_KINDS[change.kind])
            for change in await self._containers.changes(self._stand_in)
            if change.path != PROGRAM and change.kind < len(_KINDS)
        ]
        holding = {change.path.rpartition("/")[0] for change in changes}
        self._holding = sorted(change.path for change in changes if change.kind == MODIFIED and change.path in holding)
        reported = [change for change in changes if change.path not in self._holding]
        return sorted(reported, key=lambda change: change.path)

    async def conflicts(self, changes: Sequence[ChangedPath]) -> list[str]:
        """See `Source`; the target is compared with a container that is made of its files as they were."""
        body = {"Image": self._image, "Entrypoint": [PROGRAM], "Labels": self._labels}
        before = (await self._containers.create(body)).id
        try:
            return [change.path for change in changes if await self._differs(before, change.path)]
        finally:
            await self._containers.discard(before)

    async def _differs(self, before: str, path: str) -> bool:
        old, now = await self._stat(before, path), await self._stat(self._model, path)
        if old is None or now is None:
            return old is not now
        if old.is_directory and now.is_directory:
            return False  # it changes with every entry
        return _comparable(old) != _comparable(now)

    async def _stat(self, container: str, path: str) -> PathStat | None:
        try:
            return await self._containers.archive_stat(container, path)
        except NotFound:
            return None

    async def write(self, changes: Sequence[ChangedPath], out: IO[bytes], *, whiteouts: bool) -> None:
        """See `Source`."""
        with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
            for path in self._holding if whiteouts else ():
                await self._add(tar, path)
            for change in changes:
                if change.kind != DELETED:
                    await self._add(tar, change.path)
                elif whiteouts:
                    add_whiteout(tar, change.path)
        out.truncate(out.seek(tar.offset))  # no padding: see `ContainersApi.archive_put`

    async def _add(self, tar: tarfile.TarFile, path: str) -> None:
        with tempfile.TemporaryFile() as packed:
            entry: tarfile.TarInfo | None = None
            async with self._containers.archive_stream(self._stand_in, path) as answer:
                async for chunk in answer.chunks():
                    packed.write(chunk)
                    if entry is None and packed.tell() >= _HEAD:
                        entry = _first(packed)
                    if entry is not None and packed.tell() >= entry.offset_data + entry.size:
                        break
            entry = entry or _first(packed)
            entry.name = path.lstrip("/")
            packed.seek(entry.offset_data)
            tar.addfile(entry, packed if entry.isreg() else None)

    @asynccontextmanager
    async def base(self) -> AsyncIterator[str]:
        """See `Source`; the stand-in's own image is it."""
        yield self._image


def _comparable(stat: PathStat) -> tuple[int, int, str, str]:
    """Return the attributes that show a change of a path; an image's layers have times in full seconds."""
    return stat.size, stat.mode, stat.modified[: len("2006-01-02T15:04:05")], stat.link_target


def _first(packed: IO[bytes]) -> tarfile.TarInfo:
    """Return the first entry of what has arrived of a tar."""
    arrived = packed.tell()
    packed.seek(0)
    with tarfile.open(fileobj=io.BytesIO(packed.read(_HEAD)), errorlevel=0) as tar:
        entry = tar.next()
    packed.seek(arrived)
    if entry is None:
        raise NotFound("the engine's archive is empty")
    return entry
