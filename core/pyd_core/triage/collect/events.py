"""The engine's events of one container."""

from __future__ import annotations

import time

from pyd_core.client.provider import Provider
from pyd_core.client.timestamps import api_timestamp
from pyd_core.errors import PydError
from pyd_core.model.base import parse_time
from pyd_core.model.event import Event
from pyd_core.triage.evidence import Case, UnavailableSource

TELLS = "who sent which signal and when, and whether the engine reported an out-of-memory kill"


async def fetch_all(engine: Provider, tool: str, *, since_ns: int = 10**9) -> dict[str, list[Event]] | None:
    """Fetch the events of all containers that the engine remembers, by container id; None when it refuses."""
    until = _until(time.time_ns(), tool)
    events: dict[str, list[Event]] = {}
    try:
        filters = {"type": ["container"]}
        async with engine.system.events(
            since=api_timestamp(since_ns), until=until, filters=filters, follow=False
        ) as stream:
            async for event in stream:
                events.setdefault(event.actor.id, []).append(event)
    except PydError:
        return None
    return events


async def collect(case: Case, engine: Provider, *, known: dict[str, list[Event]] | None = None) -> None:
    """Fetch what the engine remembers of it: Docker Engine keeps its last 256 events, of all containers.

    Args:
        case: The case.
        engine: The engine it is on.
        known: What was fetched before for all containers at once.
    """
    if known is not None:
        case.events = tuple(known.get(case.container.id, ()))
        return
    created = parse_time(case.container.created) or 0
    since = max(1, created // 10**9 - 1) * 10**9
    try:
        events = await fetch(engine, case.container.id, case.tool, since_ns=since, until_ns=case.now_ns)
    except PydError as error:
        case.unread.append(UnavailableSource(source="events", reason=error.message, would_tell=TELLS))
        return
    case.events = tuple(events)


async def fetch(engine: Provider, identity: str, tool: str, *, since_ns: int, until_ns: int) -> list[Event]:
    """Return what an engine remembers of one container, which may be gone.

    Raises:
        PydError: The engine refuses, or doesn't answer.
    """
    filters = {"container": [identity], "type": ["container"]}
    until = _until(until_ns, tool)
    async with engine.system.events(
        since=api_timestamp(since_ns), until=until, filters=filters, follow=False
    ) as stream:
        return [event async for event in stream]


def _until(time_ns: int, tool: str) -> str | None:
    """The time at which the engine is to end its answer.

    Podman can be asked not to stream, and would leave out the present second, because it takes whole ones only.
    """
    if tool == "podman":
        return None
    return api_timestamp(time_ns)


def note_lost(case: Case) -> None:
    """State it when the events of the judged run are no longer all there."""
    if case.events is None or case.run.complete or case.run.started_ns is None:
        return
    if case.pod is not None:
        return  # the kubelet sends no signals on behalf of users, so that such events don't exist
    reason = "the engine no longer remembers this run from its start (it keeps a limited number of events)"
    case.unread.append(UnavailableSource(source="events", reason=reason, would_tell=TELLS))
