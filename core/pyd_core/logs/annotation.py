"""Events of a container that are shown between its log lines."""

from __future__ import annotations

import msgspec

from pyd_core.model.event import Event

SECOND = 1_000_000_000

ANNOTATED_VERBS = frozenset({"start", "die", "oom", "health_status", "pause", "unpause", "destroy"})
"""Verbs of events that explain the content or the end of a log."""


class Annotation(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A start, a death, an out-of-memory kill or a change of health."""

    time_ns: int
    """Nanoseconds since the epoch."""
    container_id: str
    name: str
    """The container's name. Untrusted, as `detail`."""
    verb: str
    """As events name it: `start`, `die`, `oom`, `health_status` …"""
    detail: str = ""
    """`exit 137`, `unhealthy`; empty where the verb says all."""


def annotation_from(event: Event) -> Annotation | None:
    """Return the annotation for an event; None for events that aren't shown."""
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
