"""Logs of a pod's containers, as the log readers take them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime

from pyd_core.client.frames import PLAIN
from pyd_core.client.transport.base import Stream
from pyd_core.errors import EngineError, InvalidInput, NotFound
from pyd_core.kube.cluster_api import ClusterApi, Query, object_path
from pyd_core.kube.container_view import PodMember

MAX_LINE_BYTES = 2**20
"""A longer line without an end is passed on in pieces."""
STAMP_BYTES = 64


class _LogBody:
    """A log whose lines are bounded by two times, where the API server takes whole seconds for the start and no end."""

    def __init__(self, chunks: AsyncIterator[bytes] | None, since: str, until: str) -> None:
        self.status = 200
        self.headers: Mapping[str, str] = {"content-type": PLAIN}
        self._chunks = chunks
        self._since = since
        self._until = until

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the lines within the bounds as they arrive."""
        rest = b""
        passing = True
        line_starts = True
        if self._chunks is None:
            return
        async for chunk in self._chunks:
            if not self._since and not self._until:
                yield chunk
                continue
            *lines, rest = (rest + chunk).split(b"\n")
            kept: list[bytes] = []
            for line in lines:
                passing = self._within(line) if line_starts else passing
                line_starts = True
                if passing:
                    kept.append(line + b"\n")
            if len(rest) > MAX_LINE_BYTES:
                passing = self._within(rest) if line_starts else passing
                kept += [rest] if passing else []
                rest, line_starts = b"", False
            if kept:
                yield b"".join(kept)
        if rest and (self._within(rest) if line_starts else passing):
            yield rest

    def _within(self, line: bytes) -> bool:
        stamp = _sortable(line[:STAMP_BYTES].partition(b" ")[0].decode(errors="replace"))
        return (not self._since or stamp >= self._since) and (not self._until or stamp < self._until)


@asynccontextmanager
async def open_log(
    api: ClusterApi,
    member: PodMember,
    *,
    follow: bool = False,
    since: str | None = None,
    until: str | None = None,
    timestamps: bool = True,
    tail: int | None = None,
    previous: bool = False,
) -> AsyncIterator[Stream]:
    """Open a container's log.

    Args:
        api: The API server.
        member: The container.
        follow: Continue with new output.
        since: Start, in seconds since the epoch with up to nine decimals.
        until: End, in the same form.
        timestamps: Start each line with its time.
        tail: Lines from the end; None is all.
        previous: The log of the run before the current one.

    Raises:
        NotFound: There is no such run.
    """
    status = member.status
    if previous and (status is None or status.last_state.terminated is None):
        raise NotFound(f"{member.name} has no run before the current one", reference="no-previous-run")
    if status is None or (status.state.waiting is not None and status.last_state.terminated is None):
        yield _LogBody(None, "", "")  # it has never run, so that the server would only refuse
        return
    bounded = until is not None
    metadata = member.pod.metadata
    query: Query = {
        "container": member.spec.name,
        "follow": follow and not bounded,
        "timestamps": timestamps or bounded,
        "tailLines": None if tail is None or bounded else tail,
        "sinceTime": None if since is None else _rfc3339(since, fraction=False),
        "previous": previous or None,
    }
    path = f"{object_path('pods', namespace=metadata.namespace, name=metadata.name)}/log"
    try:
        async with api.stream("GET", path, query, accept="*/*") as stream:
            start = "" if since is None else _sortable(_rfc3339(since))
            end = "" if until is None else _sortable(_rfc3339(until))
            restarted = status.state.running is not None and status.last_state.terminated is not None
            chunks = stream.chunks()
            if restarted and not previous and (tail is None or bounded):
                chunks = _after_previous(api, path, {**query, "follow": None, "previous": True}, chunks)
            yield _LogBody(chunks, start, end)
    except InvalidInput as error:
        if "waiting to start" not in error.message and "is terminated" not in error.message:
            raise
        yield _LogBody(None, "", "")


async def _after_previous(
    api: ClusterApi, path: str, query: Query, current: AsyncIterator[bytes]
) -> AsyncIterator[bytes]:
    """Yield the log of the run before, if its node still has it, and then the current one.

    An engine's log holds all runs of a container, and its readers expect that.
    """
    last = b"\n"
    with suppress(InvalidInput, NotFound, EngineError):
        async with api.stream("GET", path, query, accept="*/*") as stream:
            async for chunk in stream.chunks():
                last = chunk or last
                yield chunk
    if not last.endswith(b"\n"):
        yield b"\n"
    async for chunk in current:
        yield chunk


def _rfc3339(text: str, *, fraction: bool = True) -> str:
    seconds, _, rest = text.partition(".")
    moment = datetime.fromtimestamp(int(seconds), UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}" + (f".{rest.ljust(9, '0')[:9]}" if fraction else "") + "Z"


def _sortable(stamp: str) -> str:
    """Return a time in UTC in a form whose text order is the order of time."""
    seconds, _, fraction = stamp.removesuffix("Z").partition(".")
    return f"{seconds}.{fraction.ljust(9, '0')[:9]}"
