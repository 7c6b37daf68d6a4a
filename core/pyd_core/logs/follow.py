"""Reader of a container's log, which follows it through restarts of the container and its engine."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator

from pyd_core.client.backoff import Backoff
from pyd_core.client.frames import is_framed
from pyd_core.client.gap import Gap
from pyd_core.client.provider import Provider
from pyd_core.client.timestamps import api_timestamp
from pyd_core.errors import EngineUnavailable, NotFound, PydError
from pyd_core.logs.line import MAX_LINE_BYTES, LogLine
from pyd_core.logs.resume import ResumePoint
from pyd_core.logs.split import FramedSplitter, RawSplitter
from pyd_core.logs.stream import Batch, LogStream
from pyd_core.model.base import parse_time
from pyd_core.model.container import Container


def follow(
    engine: Provider,
    container: str,
    *,
    tail: int | None = None,
    since: int | None = None,
    until: int | None = None,
    follow: bool = False,
    restarts: bool = True,
    previous: bool = False,
    stdout: bool = True,
    max_line_bytes: int = MAX_LINE_BYTES,
) -> LogStream:
    """Read a container's log.

    It reads as fast as the caller consumes: a slow caller slows the engine down and loses nothing.

    Args:
        engine: The container's engine. Without `follow` it may be one over a blocking transport.
        container: Its name or id.
        tail: Lines from the end; None is all.
        since: Nanoseconds since the epoch, inclusive.
        until: Nanoseconds since the epoch.
        follow: Continue with new output. A lost connection is restored and reported as a `Gap`.
        restarts: When following, continue when the container starts again, until it is removed; otherwise end with it.
        previous: Only the run before the current one, where the provider stores runs separately.
        stdout: Read stdout too, not only stderr; a cluster stores both as one.
        max_line_bytes: Maximum size of a line; the rest of a longer one is dropped.

    Raises:
        PydError: From the iteration: no such container, or its log can't be read. While following, a lost connection
            raises nothing.
    """
    follower = _Follower(engine, container, ResumePoint(since=since, tail=tail), until, max_line_bytes)
    follower.previous, follower.stdout = previous, stdout
    return LogStream(follower.run(follow and not previous, restarts))


class _Follower:
    """State of a reader of a log."""

    def __init__(
        self, engine: Provider, container: str, resume: ResumePoint, until: int | None, max_line_bytes: int
    ) -> None:
        self._engine = engine
        self._container = container
        self._resume = resume
        self._until = until
        self._max_line_bytes = max_line_bytes
        self._cut: tuple[int, PydError] | None = None
        self.previous = False
        """Whether the run before the current one is read."""
        self.stdout = True
        """Whether stdout is read."""

    async def run(self, follow: bool, restarts: bool) -> AsyncGenerator[Batch, None]:
        target = await self._engine.containers.inspect(self._container)
        if not follow:
            async for batch in self._read(target, follow=False):
                yield batch
            return
        backoff = Backoff()
        while True:
            try:
                async for batch in self._read(target, follow=True):
                    backoff.reset()
                    yield batch
                if not restarts or self._until is not None:
                    return
                restarted = await self._until_started(target)
            except NotFound:
                return
            except EngineUnavailable as error:
                self._cut = self._cut or (time.time_ns(), error)
                await backoff.wait()
                continue
            if restarted is None:
                return
            if restarted.state.started_at == target.state.started_at:  # its log ended though it still runs
                await backoff.wait()
            target = restarted

    async def _read(self, target: Container, *, follow: bool) -> AsyncGenerator[Batch, None]:
        resume = self._resume
        resume.start_request()
        async with self._engine.containers.logs(
            target.id,
            follow=follow,
            stdout=self.stdout,
            since=api_timestamp(resume.since),
            until=api_timestamp(self._until),
            tail=resume.tail,
            previous=self.previous,
        ) as stream:
            framed = is_framed(stream.headers, tty=target.config.tty)
            kind = FramedSplitter if framed else RawSplitter
            splitter = kind(target.id, target.name, max_line_bytes=self._max_line_bytes)
            async for chunk in stream.chunks():
                lines = splitter.feed(chunk)
                unseen = resume.drop_seen(lines)
                resume.advance(unseen)
                batch = self._with_gap(unseen, arrived=bool(lines))
                if batch:
                    yield batch
            rest = resume.drop_seen(splitter.close())
        if rest:
            resume.skip_past(splitter.last_ns)
            yield [*rest]

    def _with_gap(self, fresh: list[LogLine], *, arrived: bool) -> Batch:
        """Insert the gap of a restored connection before the first lines after it."""
        if self._cut is None or not arrived:
            return [*fresh]
        (since_ns, error), self._cut = self._cut, None
        lost = 0 if self._resume.resumed else None
        gap = Gap(reason=error.message, lost=lost, since_ns=since_ns, until_ns=time.time_ns(), name=self._container)
        return [gap, *fresh]

    async def _until_started(self, target: Container) -> Container | None:
        """Wait until the container runs again; None if it was removed."""
        now = await self._engine.containers.inspect(target.id)
        if now.state.running:
            return now
        filters = {"type": ["container"], "container": [target.id], "event": ["start", "destroy"]}
        # From the time of its end on, so that no event since then is missed, however late the request is.
        ended = now.state.finished_ns or parse_time(now.created)
        async with self._engine.system.events(since=api_timestamp(ended), filters=filters) as events:
            async for event in events:
                if event.verb == "destroy":
                    return None
                now = await self._engine.containers.inspect(target.id)
                if now.state.started_at != target.state.started_at:
                    return now
        return await self._engine.containers.inspect(target.id)
