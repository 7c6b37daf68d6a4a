"""Changes of pods as events in the model that all providers share."""

from __future__ import annotations

import time
from collections.abc import Iterator

from pyd_core.kube.container_view import PodMember, health_of, last_run, members
from pyd_core.kube.model.event import ClusterEvent
from pyd_core.kube.model.pod import Pod
from pyd_core.model.base import parse_time
from pyd_core.model.event import Actor, Event


def events_between(
    before: Pod | None, after: Pod | None, *, qualified: bool = False, now_ns: int | None = None
) -> list[Event]:
    """Return the events of a pod's containers that lead from one state of the pod to another.

    Args:
        before: None where the pod is new.
        after: None where it was removed.
        qualified: Put the namespace before names.
        now_ns: The present, for changes without a time of their own.
    """
    now_ns = time.time_ns() if now_ns is None else now_ns
    events: list[Event] = []
    earlier = (
        {member.spec.name: member for member in members(before, qualified=qualified)} if before is not None else {}
    )
    later = {member.spec.name: member for member in members(after, qualified=qualified)} if after is not None else {}
    for name, member in later.items():
        events += _member_events(earlier.get(name), member, now_ns)
    for name, member in earlier.items():
        if name not in later:
            events.append(_event(member, "destroy", now_ns))
    return events


def _member_events(before: PodMember | None, after: PodMember, now_ns: int) -> Iterator[Event]:
    created_ns = after.pod.metadata.created_ns or now_ns
    if before is None:
        yield _event(after, "create", created_ns)
    old, new = before.status if before is not None else None, after.status
    old_run = old.state.running if old is not None else None
    new_run = new.state.running if new is not None else None
    old_end, new_end = last_run(old), last_run(new)
    changed = False
    if new_end is not None and (old_end is None or old_end.finished_at != new_end.finished_at):
        ready = after.pod.condition("Ready")
        ended_ns = parse_time(new_end.finished_at or "") or (ready and ready.changed_ns) or now_ns
        if new_end.reason == "OOMKilled":
            yield _event(after, "oom", ended_ns)
        yield _event(after, "die", ended_ns, exitCode=str(new_end.exit_code), reason=new_end.reason)
        changed = True
    if new_run is not None and (old_run is None or old_run.started_at != new_run.started_at):
        yield _event(after, "start", parse_time(new_run.started_at or "") or now_ns)
        changed = True
    if before is not None and (health := health_of(after)) and health != health_of(before) and not changed:
        yield _event(after, f"health_status: {health}", now_ns)
        changed = True
    if before is not None and not changed and before != after:
        yield _event(after, "update", now_ns)


def _event(member: PodMember, action: str, time_ns: int, **attributes: str) -> Event:
    pod = member.pod
    shown = {"name": member.name, "image": member.spec.image, "namespace": pod.metadata.namespace}
    return Event(
        type="container",
        action=action,
        actor=Actor(id=member.id, attributes=shown | {name: value for name, value in attributes.items() if value}),
        time=time_ns // 10**9,
        time_nano=time_ns,
    )


def event_of(event: ClusterEvent) -> Event:
    """Return an event of the cluster in the shared model: its object's kind as the type, its reason as the action."""
    subject = event.involved_object
    attributes = {
        "name": subject.name,
        "namespace": subject.namespace,
        "container": subject.container,
        "severity": event.type,
        "message": " ".join(event.message.split()),
        "count": str(event.occurrences) if event.occurrences > 1 else "",
    }
    return Event(
        type=subject.kind.lower() or "object",
        action=event.reason or "event",
        actor=Actor(
            id=subject.uid or subject.name, attributes={key: value for key, value in attributes.items() if value}
        ),
        scope="cluster",
        time=event.time_ns // 10**9,
        time_nano=event.time_ns,
    )
