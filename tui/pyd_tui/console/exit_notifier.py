"""Notices that explain why a followed container ended."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

import click

from pyd_core.errors import PydError
from pyd_core.logs.stream import Batch, LogStream
from pyd_core.sanitise import safe
from pyd_core.tasks import TaskOwner

if TYPE_CHECKING:
    from pyd_core.client.provider import Provider
    from pyd_core.model.container import ContainerSummary


class ExitNotifier:
    """Explains on standard error why followed containers ended.

    Args:
        engine: The containers' engine.
    """

    def __init__(self, engine: Provider) -> None:
        self._engine = engine
        self._tasks = TaskOwner(on_error=lambda _: None)  # a failed notice must not end the log
        self._waiting: list[asyncio.Task[None]] = []

    def watch(self, stream: LogStream, container: ContainerSummary) -> LogStream:
        """Return the same stream, and report the container's exit when it ends."""

        async def through() -> AsyncGenerator[Batch, None]:
            try:
                async for batch in stream.batches():
                    yield batch
                self._waiting.append(self._tasks.start(self._report(container)))
            finally:
                await stream.aclose()

        return LogStream(through())

    async def aclose(self, *, wait: bool) -> None:
        """Close the notifier, after pending notices if `wait` is set."""
        if wait:
            await asyncio.gather(*self._waiting, return_exceptions=True)
        await self._tasks.aclose()

    async def _report(self, container: ContainerSummary) -> None:
        from pyd_core.triage.api import explain
        from pyd_core.triage.text_report import brief
        from pyd_core.watch.death_recorder import VERDICT_DELAY_S

        await asyncio.sleep(VERDICT_DELAY_S)
        try:
            verdict = await explain(self._engine, container.id)
        except PydError:
            return  # the container is already removed
        if verdict.ended is None:
            return
        name = safe(container.name)
        colour = {"broken": "red", "notice": "yellow"}.get(verdict.severity)
        text = click.style(f"{name} ended: {brief(verdict)}", fg=colour)
        click.echo(f"{text}  (pyd triage {name})", err=True)
