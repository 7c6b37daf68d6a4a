"""Search in the logs of many containers, including stopped ones."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass

from pyd_core.client.provider import Provider
from pyd_core.errors import PydError
from pyd_core.logs.follow import follow
from pyd_core.logs.line import LogLine
from pyd_core.logs.pattern import LogPattern
from pyd_core.model.container import ContainerSummary
from pyd_core.tasks import TaskOwner

MAX_CONCURRENCY = 4
"""Logs read concurrently: more would only make the engine's disk seek."""

MAX_WAITING_MATCHES = 64
"""Waiting matches at which no log is read any further."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogMatch:
    """Progress in a container's log: new matching lines, or its end."""

    container: ContainerSummary
    lines: tuple[LogLine, ...] = ()
    """New matching lines."""
    matched: int = 0
    """Lines that matched so far."""
    read: int = 0
    """Lines read so far."""
    done: bool = False
    error: PydError | None = None
    """The error that ended the search in this log."""


async def search_all(
    engine: Provider,
    containers: Sequence[ContainerSummary],
    pattern: LogPattern,
    *,
    tail: int | None = None,
    since: int | None = None,
    until: int | None = None,
    max_concurrency: int = MAX_CONCURRENCY,
) -> AsyncGenerator[LogMatch, None]:
    """Search the present logs, a few at a time; closing the generator ends the search.

    A log that can't be read doesn't affect the others. The lines of a container come in order, and its last result is
    `done`.

    Args:
        engine: The containers' engine.
        containers: The containers to search.
        pattern: The pattern.
        tail: Lines from the end of each; None is all.
        since: Nanoseconds since the epoch, inclusive.
        until: Nanoseconds since the epoch.
        max_concurrency: Logs read concurrently.

    Raises:
        InvalidInput: The pattern isn't a valid regular expression.
    """
    test = pattern.test
    queue: asyncio.Queue[LogMatch] = asyncio.Queue(MAX_WAITING_MATCHES)
    limit = asyncio.Semaphore(max_concurrency)

    async def search(container: ContainerSummary) -> None:
        matched = read = 0
        error: PydError | None = None
        async with limit:
            stream = follow(engine, container.id, tail=tail, since=since, until=until)
            try:
                async for batch in stream.batches():
                    lines = [item for item in batch if isinstance(item, LogLine)]
                    matches = tuple(line for line in lines if test(line))
                    read += len(lines)
                    matched += len(matches)
                    if matches:
                        await queue.put(LogMatch(container=container, lines=matches, matched=matched, read=read))
                    await asyncio.sleep(0)  # a fast log must not starve the others
            except PydError as failure:
                error = failure
            finally:
                await stream.aclose()
        await queue.put(LogMatch(container=container, matched=matched, read=read, done=True, error=error))

    bugs: list[Exception] = []
    async with TaskOwner(bugs.append) as tasks:
        running = [tasks.start(search(container), name="search of a log") for container in containers]
        remaining = len(running)
        while remaining and not bugs:
            match = await queue.get()
            remaining -= match.done
            yield match
    if bugs:
        raise bugs[0]
