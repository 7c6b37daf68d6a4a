"""Reader of a swarm task's log, through a manager."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from pyd_core.client.engine_client import EngineClient
from pyd_core.client.frames import is_framed
from pyd_core.client.timestamps import api_timestamp
from pyd_core.logs.line import MAX_LINE_BYTES
from pyd_core.logs.split import FramedSplitter, RawSplitter
from pyd_core.logs.stream import Batch, LogStream


def task_log(
    engine: EngineClient,
    task: str,
    name: str,
    *,
    tail: int | None = None,
    since: int | None = None,
    follow: bool = False,
) -> LogStream:
    """Read a task's log. It ends with the task, whose replacement is another task.

    Args:
        engine: A manager of the swarm.
        task: The task's id, used as the container id of its lines.
        name: The name of its lines.
        tail: Lines from the end; None is all.
        since: Nanoseconds since the epoch, inclusive.
        follow: Continue with new output.

    Raises:
        PydError: From the iteration: no such task, its log can't be read, or the connection was cut.
    """
    return LogStream(_read(engine, task, name, tail, since, follow=follow))


async def _read(
    engine: EngineClient, task: str, name: str, tail: int | None, since: int | None, *, follow: bool
) -> AsyncGenerator[Batch, None]:
    async with engine.tasks.logs(task, follow=follow, since=api_timestamp(since), tail=tail) as stream:
        kind = FramedSplitter if is_framed(stream.headers, tty=False) else RawSplitter
        splitter = kind(task, name, max_line_bytes=MAX_LINE_BYTES)
        async for chunk in stream.chunks():
            if lines := splitter.feed(chunk):
                yield [*lines]
        if rest := splitter.close():
            yield [*rest]
