"""Commits: images made from a container's changes."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass

import msgspec

from pyd_core.daemon.containers.container import EngineContainer
from pyd_core.daemon.images import load as loading
from pyd_core.daemon.images import tar_writer
from pyd_core.daemon.images.config import read_config
from pyd_core.daemon.images.store import ImageRecord, ImageStore
from pyd_core.model.base import format_time
from pyd_core.model.container_config import ContainerConfig


@dataclass(frozen=True)
class Origin:
    """A step in an image's history."""

    created_by: str
    comment: str = ""
    author: str = ""


async def commit(
    images: ImageStore, container: EngineContainer, config: ContainerConfig, origin: Origin
) -> ImageRecord:
    """Make an image of a container's image, its writable layer and a configuration.

    Raises:
        Conflict: It is about to be removed.
    """
    container.ensure_not_removing("committed")
    spooled = await loading.spool(
        images, tar_writer.stream_tar(lambda packer: packer.add_tree(str(container.upper), ""), whiteouts=True)
    )
    async with images.sweep_if_cancelled():
        layer = await images.layers.import_async(spooled)
    parent = images.find(container.record.image_id)
    return await derive(images, parent, config, origin, layer=layer.diff_id)


async def derive(
    images: ImageStore, parent: ImageRecord, config: ContainerConfig, origin: Origin, *, layer: str = ""
) -> ImageRecord:
    """Make an image from another, with a configuration and optionally one more layer, given by its diff id."""
    layers = [*parent.layers, *([layer] if layer else [])]

    def put() -> bytes:
        before = images.config(parent)
        step = {
            "created": format_time(time.time_ns()),
            "created_by": origin.created_by,
            "author": origin.author,
            "comment": origin.comment,
            **({} if layer else {"empty_layer": True}),
        }
        history = [*msgspec.to_builtins(before.history or []), step]
        body = json.loads(loading.encode_config(config, layers, history))
        body["author"] = origin.author or before.author
        text = json.dumps(body).encode()
        read_config(text)
        images.blobs.put(text)
        return text

    # On a thread: a long history and a sync of the disk would block the event loop.
    text = await asyncio.to_thread(put)
    return images.add(text, layers, parent=parent.id)
