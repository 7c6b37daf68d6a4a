"""Annotations for events that happened before a container's log was opened."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from pyd_core.client.gap import Gap
from pyd_core.logs.annotation import Annotation, annotation_from
from pyd_core.model.event import Event
from pyd_core.watch.container_info import ContainerInfo
from pyd_tui.dashboard.render.figures import SECOND

DUPLICATE_TOLERANCE_NS = 2 * SECOND
"""Times of a start or death from the list and from an event are the same occurrence within this."""


def known_marks(
    keys: Sequence[str], happened: Iterable[Event | Gap], containers: Mapping[str, ContainerInfo]
) -> list[Annotation]:
    """Return the containers' annotations: from events, and from the list where no event reported them."""
    marks = [
        mark
        for item in happened
        if isinstance(item, Event) and item.actor.id in keys and (mark := annotation_from(item)) is not None
    ]
    for key in keys:
        container = containers.get(key)
        if container is None:
            continue
        facts = [("start", container.started_ns, "")]
        if not container.has_processes:
            facts.append(("die", container.finished_ns, f"exit {container.exit_code}"))
        for verb, time_ns, detail in facts:
            reported = any(
                mark.verb == verb and abs(mark.time_ns - (time_ns or 0)) < DUPLICATE_TOLERANCE_NS for mark in marks
            )
            if time_ns and not reported:
                marks.append(
                    Annotation(time_ns=time_ns, container_id=key, name=container.name, verb=verb, detail=detail)
                )
    return marks
