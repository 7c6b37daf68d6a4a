"""The exporters `image` and `moby`: an image in the engine's store, with its names."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import msgspec

from pyd_core.daemon.build.exporters.attester import Attester
from pyd_core.daemon.build.exporters.cache_export import CacheExporter
from pyd_core.daemon.build.exporters.image_config import ExportedLayer, complete_config
from pyd_core.daemon.build.exporters.packing import LayerPacker
from pyd_core.daemon.build.exporters.steps import ExportSteps
from pyd_core.daemon.build.interfaces import BuildSession, FrontendResult
from pyd_core.daemon.build.solver.refs import SolvedRef
from pyd_core.daemon.build.solver.solver import BuildSolver
from pyd_core.daemon.build.solver.sources.image import login_for
from pyd_core.daemon.images.built_index import BuiltIndex, IndexPart
from pyd_core.daemon.images.events import ImageEvents
from pyd_core.daemon.images.manifests import Annotations
from pyd_core.daemon.images.progress import ProgressEmitter
from pyd_core.daemon.images.push import push
from pyd_core.daemon.images.registry import Registry
from pyd_core.daemon.images.store import ImageRecord
from pyd_core.dockerfile.platforms import host_platform
from pyd_core.errors import InvalidInput
from pyd_core.model.base import format_time
from pyd_core.model.reference import Reference, parse

CONFIG_KEY = "containerimage.config"
PLATFORMS_KEY = "refs.platforms"
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
        solver: BuildSolver,
        events: ImageEvents,
        packer: LayerPacker,
        caches: CacheExporter,
    ) -> None:
        self._caches = caches
        self._registries = solver.registries
        self._images = solver.images
        self._snapshots = solver.snapshots
        self._sync = solver.layer_sync
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
            if epoch_s is not None and is_true(attrs, "rewrite-timestamp"):
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
        # A sync would wait for the new layers too; with them, the configuration is checked after a power failure.
        is_durable = not any(map(self._images.layers.is_unsynced, diff_ids))
        await asyncio.to_thread(lambda: self._images.blobs.put(body, durable=is_durable))
        if not is_durable and not self._sync.request(diff_ids):
            await asyncio.to_thread(self._images.layers.sync)  # their own sync ended while this was written
        return self._images.add(body, diff_ids)

    async def write_all(
        self, result: FrontendResult, attrs: Mapping[str, str], steps: ExportSteps, attester: Attester | None
    ) -> list[IndexPart]:
        """Write the image of each platform.

        Raises:
            InvalidInput: A configuration is malformed.
        """
        parts: list[IndexPart] = []
        for platform, ref, config in configs_of(result):
            record = await self.write(ref, config, steps, attrs)
            part = IndexPart(image_id=record.id, platform=platform)
            if attester is not None:
                with steps.step("creating provenance"):
                    predicate = attester.predicate(platform, ref, result.definitions.get(platform), config)
                part = msgspec.structs.replace(part, provenance=predicate, predicate_type=attester.predicate_type)
            parts.append(part)
        return parts

    async def export(
        self,
        result: FrontendResult,
        attrs: Mapping[str, str],
        steps: ExportSteps,
        session: BuildSession | None,
        attester: Attester | None,
    ) -> dict[str, str]:
        """Write, name and on request push an image, and return the exporter's response.

        With several platforms the names belong to the image for this machine, else to the first one.
        """
        names = names_of(attrs)
        parts = await self.write_all(result, attrs, steps, attester)
        with self._images.hold([part.image_id for part in parts]):
            record = self._images.find(_named_part(parts).image_id)
            with steps.step(f"writing image {record.id}"):
                self._keep_index(record.id, parts, attrs)
            for name in names:
                with steps.step(f"naming to {name.repository}{f':{name.tag}' if name.tag else ''}"):
                    self._events.tag(record, name)
            response = {"containerimage.digest": record.id, "containerimage.config.digest": record.id}
            if names:
                response["image.name"] = ",".join(f"{name.repository}:{name.tag}" for name in names)
            if is_true(attrs, "push"):
                response["containerimage.digest"] = await self._push(record, names, attrs, steps, session)
        return response

    def _keep_index(self, image_id: str, parts: Sequence[IndexPart], attrs: Mapping[str, str]) -> None:
        """Keep what a push needs besides the image; the last build of an image counts."""
        annotations = {key: value for key, value in attrs.items() if key.startswith("annotation")}
        Annotations.parse(annotations)
        if len(parts) > 1 or parts[0].provenance or annotations:
            self._images.indexes.put(
                image_id, BuiltIndex(image_id=image_id, parts=tuple(parts), annotations=annotations)
            )
        elif image_id in self._images.indexes:
            self._images.indexes.delete(image_id)

    async def _push(
        self,
        record: ImageRecord,
        names: Sequence[Reference],
        attrs: Mapping[str, str],
        steps: ExportSteps,
        session: BuildSession | None,
    ) -> str:
        if not names:
            raise InvalidInput("a push needs a name", hint="--tag NAME, or name=NAME in the output")
        digest = ""
        for name in names:
            target = Reference(name.domain, name.path, "") if is_true(attrs, "push-by-digest") else name
            with steps.step(f"pushing {target.repository}{f':{target.tag}' if target.tag else ''}"):
                async with Registry(target, await login_for(session, name), self._registries) as registry:
                    digest = await push(self._images, record, registry, ProgressEmitter())
            self._events.emit("push", record, key=str(name), name=name.familiar)
        return digest


def _named_part(parts: Sequence[IndexPart]) -> IndexPart:
    own = str(host_platform())
    return next((part for part in parts if part.platform == own), parts[0])


def is_true(attrs: Mapping[str, str], key: str) -> bool:
    """Return whether an exporter's attribute is set to true."""
    return attrs.get(key, "").lower() in {"true", "1", "t"}


def configs_of(result: FrontendResult) -> list[tuple[str, SolvedRef | None, bytes]]:
    """Return the platform, the file system and the configuration of each image of a result.

    Raises:
        InvalidInput: A file system is none of this engine's.
    """
    images: list[tuple[str, SolvedRef | None, bytes]] = []
    order = _platforms_of(result)
    for platform, ref in sorted(result.refs.items(), key=lambda item: order.get(item[0], len(order))) or [("", None)]:
        if ref is not None and not isinstance(ref, SolvedRef):
            raise InvalidInput("the result is of another engine")
        config = result.metadata.get(f"{CONFIG_KEY}/{platform}") or result.metadata.get(CONFIG_KEY) or b""
        images.append((platform, ref, config))
    return images


def _platforms_of(result: FrontendResult) -> dict[str, int]:
    """Return the position of each platform in the client's request; the refs come without an order."""
    try:
        listed = msgspec.json.decode(result.metadata.get(PLATFORMS_KEY, b"{}"), type=_Platforms).platforms
    except (msgspec.DecodeError, RecursionError) as error:
        raise InvalidInput(f"{PLATFORMS_KEY}: {error}", reference="bad-config") from error
    return {platform.key: number for number, platform in enumerate(listed)}


class _Platform(msgspec.Struct):
    key: str = msgspec.field(name="ID", default="")


class _Platforms(msgspec.Struct):
    platforms: list[_Platform] = msgspec.field(name="Platforms", default_factory=list)
