"""Contents of an image's layers: from this machine's store where it is readable, else through the engine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from pyd_core.client.engine_client import EngineClient
from pyd_core.layers import archive, local
from pyd_core.layers.content import ImageContents, LayerContent, stack_layers
from pyd_core.model.image import Image

OnProgress = Callable[[int], None]
"""Called with the number of bytes read so far."""


async def image_contents(engine: EngineClient, image: Image, on_progress: OnProgress) -> ImageContents:
    """Return the contents of an image's layers.

    The store is read on a thread. Where it isn't accessible, the engine sends the image as an archive, of which only
    names and sizes are kept. That takes time in proportion to the image's size.

    Raises:
        PydError: The engine can't send the image.
    """
    directories = local.layer_directories(image.graph_driver) if engine.endpoint.is_local else []
    if directories and len(directories) == len(image.root_fs.layers):
        try:
            return stack_layers(await asyncio.to_thread(lambda: [local.read_layer(path) for path in directories]))
        except OSError:
            pass  # another mount namespace's path, or removed meanwhile: ask the engine
    return await asyncio.to_thread(stack_layers, await _read_through_engine(engine, image, on_progress))


async def _read_through_engine(engine: EngineClient, image: Image, on_progress: OnProgress) -> list[LayerContent]:
    feed = archive.Feed()
    loop = asyncio.get_running_loop()
    result: asyncio.Future[list[LayerContent] | Exception] = loop.create_future()

    def done(outcome: list[LayerContent] | Exception) -> None:
        loop.call_soon_threadsafe(lambda: None if result.done() else result.set_result(outcome))

    reader = loop.run_in_executor(None, archive.read_feed, feed, done)
    received_bytes = 0
    try:
        async with engine.images.save([image.id]) as stream:
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
