"""The exporters `image` and `moby`: an image in the engine's store, with its names."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from datetime import UTC, datetime

from pyd_core.daemon.build.exporters.cache_export import CacheExporter
from pyd_core.daemon.build.exporters.image_config import ExportedLayer, complete_config
from pyd_core.daemon.build.exporters.packing import LayerPacker
from pyd_core.daemon.build.exporters.steps import ExportSteps
from pyd_core.daemon.build.interfaces import FrontendResult
from pyd_core.daemon.build.solver.refs import SolvedRef
from pyd_core.daemon.build.solver.snapshots import SnapshotStore
from pyd_core.daemon.images.events import ImageEvents
from pyd_core.daemon.images.store import ImageRecord, ImageStore
from pyd_core.errors import InvalidInput
from pyd_core.model.base import format_time
from pyd_core.model.reference import Reference, parse

CONFIG_KEY = "containerimage.config"
INLINE_CACHE_ATTR = "pyd.inline-cache"
"""Attribute that the engine itself sets: the configuration gets the build's cache."""
EPOCH_KEY = "source-date-epoch"
MAX_NAMES = 1000
MAX_EPOCH_S = 253_402_300_799
"""The end of the year 9999."""


def names_of(attrs: Mapping[str, str]) -> list[Reference]:
    """Return the names that an image is to get.

    Raises:
        InvalidInput: One is malformed.
    """
    texts = [text.strip() for text in attrs.get("name", "").split(",") if text.strip()]
    if len(texts) > MAX_NAMES:
        raise InvalidInput(f"more than {MAX_NAMES} names")
    return [parse(text) for text in texts]


def epoch_of(attrs: Mapping[str, str]) -> int | None:
    """Return the time of `SOURCE_DATE_EPOCH` in seconds since 1970; None where it isn't set.

    Raises:
        InvalidInput: It is no number.
    """
    text = attrs.get(EPOCH_KEY, "")
    if not text:
        return None
    if not text.isascii() or not text.isdecimal() or len(text) > 12 or int(text) > MAX_EPOCH_S:
        raise InvalidInput(f"invalid SOURCE_DATE_EPOCH: {text[:40]!r} is no number of seconds")
    return int(text)


class ImageWriter:
    """Writes results as images into the engine's store."""

    def __init__(
        self,
        images: ImageStore,
        events: ImageEvents,
        packer: LayerPacker,
        snapshots: SnapshotStore,
        caches: CacheExporter,
    ) -> None:
        self._caches = caches
        self._images = images
        self._snapshots = snapshots
        self._events = events
        self._packer = packer

    async def write(
        self, ref: SolvedRef | None, config: bytes, steps: ExportSteps, attrs: Mapping[str, str]
    ) -> ImageRecord:
        """Write a result with the front end's configuration.

        Raises:
            InvalidInput: The configuration is malformed, or the result is a client's directory.
        """
        if ref is not None and ref.result.local is not None:
            raise InvalidInput("a client's directory can't be exported as an image")
        stack = ref.result.layers if ref is not None else ()
        epoch_s = epoch_of(attrs)
        with steps.step("exporting layers"):
            if epoch_s is not None and attrs.get("rewrite-timestamp", "").lower() in {"true", "1"}:
                diff_ids = await self._packer.rewritten(stack, epoch_s)
            else:
                diff_ids = await self._packer.diff_ids(stack)
        layers = [
            ExportedLayer(diff_id, format_time(created) if created else "")
            for diff_id, created in zip(diff_ids, map(self._snapshots.created_ns, stack), strict=True)
        ]
        cache = await self._caches.inline(ref) if attrs.get(INLINE_CACHE_ATTR) else ""
        epoch = datetime.fromtimestamp(epoch_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if epoch_s is not None else ""
        body = complete_config(config, layers, now=format_time(time.time_ns()), epoch=epoch, cache=cache)
        await asyncio.to_thread(self._images.blobs.put, body)
        return self._images.add(body, diff_ids)

    async def export(self, result: FrontendResult, attrs: Mapping[str, str], steps: ExportSteps) -> dict[str, str]:
        """Write and name an image, and return the exporter's response."""
        names = names_of(attrs)
        ref, config = single(result)
        record = await self.write(ref, config, steps, attrs)
        with steps.step(f"writing image {record.id}"):
            pass
        for name in names:
            with steps.step(f"naming to {name.repository}{f':{name.tag}' if name.tag else ''}"):
                self._events.tag(record, name)
        response = {"containerimage.digest": record.id, "containerimage.config.digest": record.id}
        if names:
            response["image.name"] = ",".join(f"{name.repository}:{name.tag}" for name in names)
        return response


def configs_of(result: FrontendResult) -> list[tuple[str, SolvedRef | None, bytes]]:
    """Return the platform, the file system and the configuration of each image of a result.

    Raises:
        InvalidInput: A file system is none of this engine's.
    """
    images: list[tuple[str, SolvedRef | None, bytes]] = []
    for platform, ref in result.refs.items() or [("", None)]:
        if ref is not None and not isinstance(ref, SolvedRef):
            raise InvalidInput("the result is of another engine")
        config = result.metadata.get(f"{CONFIG_KEY}/{platform}") or result.metadata.get(CONFIG_KEY) or b""
        images.append((platform, ref, config))
    return images


def single(result: FrontendResult) -> tuple[SolvedRef | None, bytes]:
    """Return the only file system of a result and its configuration.

    Raises:
        InvalidInput: There are several.
    """
    images = configs_of(result)
    if len(images) > 1:
        raise InvalidInput(
            "this exporter writes one platform", hint="build for a single --platform, or export type=oci"
        )
    return images[0][1:]
