"""Builds of a bake file's targets: those that others need first, all others at once."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from pyd_core.buildkit.bake.targets import TARGET_PREFIX, BakeTarget
from pyd_core.buildkit.client.definition import BuildDefinition
from pyd_core.errors import PydError
from pyd_tui.cli.builds.buildkit_run import BuildOutcome, BuildRunOptions, run_definition
from pyd_tui.cli.builds.several import SharedDisplay

if TYPE_CHECKING:
    from pyd_core.client.engine_client import EngineClient
    from pyd_tui.cli.builds.displays import BuildDisplay

REPOSITORY = "localhost/pyd-bake"
"""The name of images that other targets need, until all are built."""


async def bake(
    engine: EngineClient, targets: Sequence[BakeTarget], open_display: Callable[[], BuildDisplay]
) -> tuple[dict[str, BuildOutcome], float]:
    """Build targets.

    Args:
        engine: Where.
        targets: Each after those that it needs.
        open_display: Opens the display of all.

    Returns:
        What became of each, and the seconds that it took.

    Raises:
        PydError: A target failed; others are cancelled.
    """
    shared = SharedDisplay(open_display())
    started = time.monotonic()
    needed = {need for target in targets for need in target.needs}
    names = {name: f"{REPOSITORY}:{secrets.token_hex(8)}" for name in needed}
    finished = {target.name: asyncio.Event() for target in targets}
    outcomes: dict[str, BuildOutcome] = {}

    async def build(target: BakeTarget) -> None:
        for need in target.needs:
            await finished[need].wait()
        definition = _linked(target, names)
        outcomes[target.name] = await run_definition(
            engine, definition, lambda: shared.part(target.name), BuildRunOptions(report=False)
        )
        finished[target.name].set()

    try:
        async with asyncio.TaskGroup() as group:
            for target in targets:
                group.create_task(build(target))
    except BaseExceptionGroup as failures:
        errors: list[BaseException] = [error for error in failures.exceptions if isinstance(error, PydError)]
        raise (errors or list(failures.exceptions))[0] from None
    finally:
        shared.finish()
        for name in names.values():
            with suppress(PydError):
                await engine.images.remove(name)
    return outcomes, time.monotonic() - started


def _linked(target: BakeTarget, names: dict[str, str]) -> BuildDefinition:
    """Return a target's build, with images in place of the targets that its contexts name."""
    definition = target.definition
    contexts = {
        key: f"docker-image://{names[value.removeprefix(TARGET_PREFIX)]}" if value.startswith(TARGET_PREFIX) else value
        for key, value in definition.contexts.items()
    }
    tags = (*definition.tags, names[target.name]) if target.name in names else definition.tags
    load = definition.load or target.name in names
    return msgspec.structs.replace(definition, contexts=contexts, tags=tags, load=load)
