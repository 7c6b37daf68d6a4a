"""The engine's events of one container."""

from __future__ import annotations

from pyd_core.engine.client import Engine
from pyd_core.errors import PydError
from pyd_core.model.base import parse_time
from pyd_core.model.event import Event
from pyd_core.triage.evidence import Case, Unread

TELLS = "who sent which signal and when, and whether the engine reported an out-of-memory kill"


async def collect(case: Case, engine: Engine) -> None:
    """Fetches what the engine remembers of it: Docker Engine keeps its last 256 events, of all containers."""
    created = parse_time(case.container.created) or 0
    since = max(0, created // 10**9 - 1)
    until = f"{case.now_ns // 10**9}.{case.now_ns % 10**9:09d}"
    found: list[Event] = []
    try:
        filters = {"container": [case.container.id], "type": ["container"]}
        async with engine.system.events(since=str(since), until=until, filters=filters) as stream:
            found.extend([event async for event in stream])
    except PydError as error:
        case.unread.append(Unread(source="events", reason=error.message, would_tell=TELLS))
        return
    case.events = tuple(found)


def note_lost(case: Case) -> None:
    """States it when the events of the judged run are no longer all there."""
    if case.events is None or case.run.complete or case.run.started_ns is None:
        return
    reason = "the engine no longer remembers this run from its start (it keeps a limited number of events)"
    case.unread.append(Unread(source="events", reason=reason, would_tell=TELLS))
