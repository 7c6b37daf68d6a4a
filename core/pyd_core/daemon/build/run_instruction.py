"""RUN: a container of the current image; its output is streamed, and its changes are the next layer."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING

from pyd_core.daemon.build.request import ClassicBuildRequest, Record, failure_record, stream_record
from pyd_core.daemon.build.services import BuildServices
from pyd_core.daemon.build.stage import BuildStage
from pyd_core.daemon.containers import logs
from pyd_core.daemon.containers.attach import unframed
from pyd_core.daemon.containers.commit import commit, derive
from pyd_core.daemon.containers.container import EngineContainer
from pyd_core.daemon.images.changes import parse_command
from pyd_core.errors import PydError
from pyd_core.model.container_config import HealthConfig
from pyd_core.model.creation import CreateBody
from pyd_core.model.host_config import HostConfig

if TYPE_CHECKING:
    from pyd_core.daemon.build.dockerfile import Instruction


@asynccontextmanager
async def container_of(
    stage: BuildStage,
    words: list[str],
    *,
    host: HostConfig | None = None,
    env: list[str] | None = None,
    keep: bool = False,
) -> AsyncIterator[EngineContainer]:
    """Create a container of the stage's image, and remove it and its processes at the end unless `keep` is set.

    Without a command it has the image's.
    """
    body = CreateBody(
        image=stage.image.id,
        cmd=words,
        entrypoint=[""] if words else None,
        env=env or [],
        healthcheck=HealthConfig(test=["NONE"]),
        host_config=host or HostConfig(network_mode="none"),
    )
    container = stage.services.creator.create(body, "", step=not keep)
    try:
        yield container
    finally:
        # A task of the engine: the client may disconnect, and this be cancelled, at any moment.
        if not keep:
            await asyncio.shield(stage.services.tasks.start(_remove(stage.services, container)))


async def _remove(services: BuildServices, container: EngineContainer) -> None:
    with contextlib.suppress(PydError):
        await services.lifecycle.remove(container, force=True, volumes=True)


async def keep_changes(stage: BuildStage, container: EngineContainer, created_by: str) -> None:
    """Advance the stage to an image with a container's changes."""
    origin = stage.origin(created_by)
    if any(container.upper.iterdir()):
        image = await commit(stage.services.images, container, stage.config, origin)
    else:
        image = await derive(stage.services.images, stage.image, stage.config, origin)
    stage.move(image, stage.config)


async def run(stage: BuildStage, step: Instruction, request: ClassicBuildRequest) -> AsyncGenerator[Record, None]:
    """Run a command."""
    words = parse_command(step.rest, stage.config.shell)
    arguments = stage.run_arguments
    created_by = " ".join([*([f"|{len(arguments)}", *arguments] if arguments else []), *words])
    if stage.cached(created_by, stage.config):
        yield stream_record(" ---> Using cache\n")
        return
    env = [*arguments, *(f"{name}={value}" for name, value in stage.proxies.items())]
    async with container_of(stage, words, host=request.host, env=env, keep=request.keep) as container:
        short = container.id[:12]
        yield stream_record(f" ---> Running in {short}\n")
        await stage.services.lifecycle.start(container)
        async with aclosing(logs.read(container, logs.LogOptions(follow=True))) as pieces:
            async for piece in pieces:
                for data in unframed(piece):
                    yield stream_record(data.decode(errors="replace"))
        code = container.record.exit_code
        if code:
            shown = " ".join(words)
            yield failure_record(f"The command '{shown}' returned a non-zero code: {code}", code)
            return
        await keep_changes(stage, container, created_by)
        if not request.keep:
            yield stream_record(f" ---> Removed intermediate container {short}\n")
