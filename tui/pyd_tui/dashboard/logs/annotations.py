"""What is known to have happened to containers before their log is opened, as marks for their places in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from pyd_core.client.gap import Gap
from pyd_core.logs.annotation import Annotation, mark_of
from pyd_core.model.event import Event
from pyd_core.watch.container_info import ContainerInfo
from pyd_tui.dashboard.render.figures import SECOND

TWICE = 2 * SECOND
"""A start or death known from the list and one known from an event are the same within this time."""


def known_marks(
    keys: Sequence[str], happened: Iterable[Event | Gap], containers: Mapping[str, ContainerInfo]
) -> list[Annotation]:
    """Return the marks of some containers: from events, and from the list what no event told."""
    marks = [
        mark
        for item in happened
        if isinstance(item, Event) and item.actor.id in keys and (mark := mark_of(item)) is not None
    ]
    for key in keys:
        entry = containers.get(key)
        if entry is None:
            continue
        facts = [("start", entry.started_ns, "")]
        if not entry.alive:
            facts.append(("die", entry.finished_ns, f"exit {entry.exit_code}"))
        for verb, time_ns, detail in facts:
            told = any(one.verb == verb and abs(one.time_ns - (time_ns or 0)) < TWICE for one in marks)
            if time_ns and not told:
                marks.append(Annotation(time_ns=time_ns, container_id=key, name=entry.name, verb=verb, detail=detail))
    return marks
