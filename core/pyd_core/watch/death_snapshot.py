"""Snapshots of containers at their death."""

from __future__ import annotations

import msgspec

from pyd_core.model.base import format_time
from pyd_core.model.container import Container
from pyd_core.model.container_state import ContainerState
from pyd_core.model.event import Event


def snapshot_from_event(die: Event) -> Container:
    """Return a container that was removed before it could be inspected, from its last event."""
    attributes = die.actor.attributes
    return Container(id=die.actor.id, name_=f"/{attributes.get('name', '')}")


def snapshot_at_death(container: Container, die: Event, *, started_ns: int | None) -> Container:
    """Return the container as inspect would have shown it right after that death.

    By now it may run again or be removed; its pid and health are those of another run.
    """
    state = container.state
    code = die.actor.attributes.get("exitCode") or die.actor.attributes.get("containerExitCode") or ""
    number = int(code) if code.isdigit() else None
    is_same_death = not state.running and abs((state.finished_ns or 0) - die.time_nano) < 5 * 10**9
    known_state = state if is_same_death else ContainerState(oom_killed=False, started_at=state.started_at)
    started = known_state.started_at if is_same_death or started_ns is None else format_time(started_ns)
    dead = msgspec.structs.replace(
        known_state,
        status="exited",
        running=False,
        paused=False,
        restarting=state.restarting or (state.running and container.restart_count > 0),
        pid=0,
        exit_code=state.exit_code if number is None else number,
        started_at=started or format_time(die.time_nano),
        finished_at=known_state.finished_at if is_same_death else format_time(die.time_nano),
        health=None,
    )
    return msgspec.structs.replace(container, state=dead)
