"""A start in progress, which ends in bounded time: it may hang in the runtime or in a file system."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from pyd_core.daemon.containers.container import EngineContainer
from pyd_core.daemon.runtime import interrupted_start
from pyd_core.errors import Conflict, EngineError
from pyd_core.tasks import TaskOwner

START_TIMEOUT_S = 300.0
"""How long a start may take, with the hooks of the runtime."""
CANCEL_TIMEOUT_S = 5.0
"""How long a step may take to end after its cancellation."""


async def run(container: EngineContainer, steps: Coroutine[Any, Any, None], tasks: TaskOwner) -> None:
    """Run the steps of a start until they end, or a client ends the container.

    Args:
        container: The container.
        steps: The steps.
        tasks: Owner of a step that hangs.

    Raises:
        Conflict: A client ended the container.
        EngineError: The start took longer than `START_TIMEOUT_S`.
    """
    task: asyncio.Task[Exception | None] = tasks.start(_error_of(steps), name=f"start of {container.id[:12]}")
    waiting: set[asyncio.Future[Any]]
    with container.interruptible_start() as interruption:
        waiting = {task, interruption}
        try:
            await asyncio.wait(waiting, timeout=START_TIMEOUT_S, return_when=asyncio.FIRST_COMPLETED)
            if task.done() and not task.cancelled():
                error = task.result()
            elif interruption.done():
                error = Conflict(f"container {container.id[:12]} was ended while it was being started")
            else:
                error = EngineError(
                    f"container {container.id[:12]} didn't start within {START_TIMEOUT_S:.0f} seconds",
                    hint="its memory limit may be too small for the runtime, or a file system doesn't answer",
                    reference="start-timeout",
                )
        finally:
            if not task.done():
                await _abandon(container, task)
    if error is not None:
        raise error


async def _error_of(steps: Coroutine[Any, Any, None]) -> Exception | None:
    try:
        await steps
    except Exception as error:  # noqa: BLE001 - raised by the caller
        return error
    return None


async def _abandon(container: EngineContainer, task: asyncio.Task[Exception | None]) -> None:
    """Cancel a start and kill its processes; a step that hangs in a thread does nothing more once that returns."""
    task.cancel()
    await interrupted_start.kill(container.id)
    await asyncio.wait({task}, timeout=CANCEL_TIMEOUT_S)
