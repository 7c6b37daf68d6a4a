"""Deaths while no recorder ran, from the events that an engine remembers or from inspect."""

from __future__ import annotations

from collections.abc import Iterable

from pyd_core.model.container import Container
from pyd_core.model.event import Actor, Event
from pyd_core.triage.runs import LATE_NS

MAX_SKEW_NS = 5 * 10**9
"""Deaths of a container closer than this are the same: the times of inspect and events differ."""

MARGIN_NS = 10 * 10**9
"""Read again when recording resumes: engines report a death a moment after it."""


def split_deaths(events: Iterable[Event]) -> list[tuple[Event, tuple[Event, ...]]]:
    """Return the deaths among one container's events, oldest first, each with the events of its run."""
    deaths: list[tuple[Event, tuple[Event, ...]]] = []
    run: list[Event] = []
    die: Event | None = None

    def close() -> None:
        if die is not None:
            deaths.append((die, tuple(run)))

    for event in sorted(events, key=lambda event: event.time_nano):
        is_late = die is not None and event.time_nano - die.time_nano > LATE_NS
        if event.verb == "start" or is_late:
            close()
            run, die = [], None
        run.append(event)
        if event.verb in {"die", "died"}:
            die = event
    close()
    return deaths


def death_from_inspect(container: Container) -> Event | None:
    """Return the event of a container's last death, built from inspect; None if it runs or never ran."""
    state = container.state
    if state.running or state.paused or state.finished_ns is None or state.started_ns is None:
        return None
    attributes = {"name": container.name, "exitCode": str(state.exit_code)}
    actor = Actor(id=container.id, attributes=attributes)
    seconds = state.finished_ns // 10**9
    return Event(type="container", action="die", actor=actor, time=seconds, time_nano=state.finished_ns)
