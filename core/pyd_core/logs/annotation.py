"""Something that happened to a container, in its place among its lines."""

from __future__ import annotations

import msgspec

from pyd_core.model.event import Event

SECOND = 1_000_000_000

ANNOTATED_VERBS = frozenset({"start", "die", "oom", "health_status", "pause", "unpause", "destroy"})
"""Verbs of events that explain what a log says, or why it says nothing more."""


class Annotation(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A start, a death, an out-of-memory kill or a change of health."""

    time_ns: int
    """Nanoseconds since the epoch."""
    container_id: str
    name: str
    """The container's name. Hostile, as `detail`."""
    verb: str
    """As events name it: `start`, `die`, `oom`, `health_status` …"""
    detail: str = ""
    """`exit 137`, `unhealthy`; empty where the verb says all."""


def annotation_from(event: Event) -> Annotation | None:
    """Return the mark an event leaves in a log; None for events that leave none."""
    if event.type != "container" or event.verb not in ANNOTATED_VERBS:
        return None
    detail = event.action.partition(":")[2].strip()
    if event.verb == "die":
        detail = f"exit {event.actor.attributes.get('exitCode', '?')}"
    return Annotation(
        time_ns=event.time_nano or event.time * SECOND,
        container_id=event.actor.id,
        name=event.name,
        verb=event.verb,
        detail=detail,
    )
