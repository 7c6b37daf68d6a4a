"""The layers of a target that the engine keeps in containerd."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from pyd_core.client.api_client import ApiClient
from pyd_core.client.endpoint import Endpoint
from pyd_core.client.images import ImagesApi
from pyd_core.client.transport.blocking import run_now
from pyd_core.cri.engine_stores import stores_of
from pyd_core.cri.held_layers import LayerRequest, hold, release
from pyd_core.debug.reference import IMAGE
from pyd_core.errors import PydError
from pyd_core.model.container import Container


@contextmanager
def hold_snapshot(engine: ApiClient, container: Container, endpoint: Endpoint) -> Iterator[Container]:
    """Yield a container that doesn't run, or an image, with the directories of its snapshot.

    They stay for as long as the block lasts, also if the engine removes the container or the image. Without a snapshot
    in reach, the container is yielded as it is.

    Args:
        engine: The engine.
        container: The engine's inspect data.
        endpoint: The engine's address, on this machine.
    """
    try:
        held = asyncio.run(hold(stores_of(endpoint), _request(engine, container)))
    except PydError:
        held = None  # its files are copied instead
    if held is None:
        yield container
        return
    try:
        yield msgspec.structs.replace(container, graph_driver=held.graph)
    finally:
        asyncio.run(release(held))


def _request(engine: ApiClient, container: Container) -> LayerRequest:
    snapshotter = container.graph_driver.name
    if container.state.status == IMAGE:
        image = run_now(ImagesApi(engine).inspect(container.id))
        return LayerRequest(snapshotter=snapshotter, diff_ids=tuple(image.root_fs.layers))
    return LayerRequest(snapshotter=snapshotter, container=container.id)
