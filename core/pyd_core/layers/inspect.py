"""Contents of an image's layers: from this machine's store where it is readable, else through the engine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from pyd_core.client.provider import Provider, engine_of
from pyd_core.errors import PydError
from pyd_core.layers import archive, local
from pyd_core.layers.content import ImageContents, LayerContent, stack_layers
from pyd_core.model.container import GraphDriver
from pyd_core.model.image import Image

OnProgress = Callable[[int], None]
"""Called with the number of bytes read so far."""


async def image_contents(engine: Provider, image: Image, on_progress: OnProgress) -> ImageContents:
    """Return the contents of an image's layers.

    The store is read on a thread. Where it isn't accessible, the engine sends the image as an archive, of which only
    names and sizes are kept. That takes time in proportion to the image's size.

    Raises:
        PydError: The engine can't send the image.
    """
    if engine.endpoint.is_local:
        try:
            async with _located(engine, image) as graph:
                contents = await _read_directories(graph, len(image.root_fs.layers))
        except (OSError, PydError):
            contents = None  # another mount namespace's path, or removed meanwhile: ask the engine
        if contents is not None:
            return contents
    return await asyncio.to_thread(stack_layers, await _read_through_engine(engine, image, on_progress))


@asynccontextmanager
async def _located(engine: Provider, image: Image) -> AsyncIterator[GraphDriver]:
    """Yield the directories of the image's layers: those that inspect names, else those of its snapshot."""
    driver, endpoint = image.graph_driver, engine.endpoint
    if driver.data or not driver.name or not endpoint.is_local or endpoint.read_only:  # a lease is a change
        yield driver
        return
    from pyd_core.cri.engine_stores import stores_of  # noqa: PLC0415 - for one kind of store only
    from pyd_core.cri.held_layers import LayerRequest, held_layers  # noqa: PLC0415 - the same, and gRPC

    request = LayerRequest(snapshotter=driver.name, diff_ids=tuple(image.root_fs.layers))
    async with held_layers(await asyncio.to_thread(stores_of, endpoint), request) as graph:
        yield graph


async def _read_directories(graph: GraphDriver, count: int) -> ImageContents | None:
    directories = local.layer_directories(graph)
    if not directories or len(directories) != count:
        return None
    return stack_layers(await asyncio.to_thread(lambda: [local.read_layer(path) for path in directories]))


async def _read_through_engine(engine: Provider, image: Image, on_progress: OnProgress) -> list[LayerContent]:
    feed = archive.Feed()
    loop = asyncio.get_running_loop()
    result: asyncio.Future[list[LayerContent] | Exception] = loop.create_future()

    def done(outcome: list[LayerContent] | Exception) -> None:
        loop.call_soon_threadsafe(lambda: None if result.done() else result.set_result(outcome))

    reader = loop.run_in_executor(None, archive.read_feed, feed, done)
    received_bytes = 0
    try:
        async with engine_of(engine).images.save([image.id]) as stream:
            async for chunk in stream.chunks():
                if not await asyncio.to_thread(feed.feed, chunk):
                    break
                received_bytes += len(chunk)
                on_progress(received_bytes)
        await asyncio.to_thread(feed.feed, None)
        outcome = await result
    finally:
        feed.abandon()
        await asyncio.shield(reader)
    if isinstance(outcome, Exception):
        raise outcome
    return outcome
