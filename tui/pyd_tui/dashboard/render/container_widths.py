"""Widths of the columns that list containers."""

from __future__ import annotations

from pyd_core.watch.container_info import ContainerInfo
from pyd_tui.dashboard.render.containers import (
    ACTIVE_STATES,
    COLUMNS,
    MEASURED,
    MIN_STATE_COLUMNS,
    limit,
    ports,
    since,
    state_and_health,
)
from pyd_tui.dashboard.render.figures import SECOND, Clock
from pyd_tui.dashboard.render.pieces import columns, width

MINUTE_NS = 60 * SECOND
QUARTER_NS = 15 * MINUTE_NS
"""Time zones differ by multiples of a quarter of an hour, so that no day begins within one."""
DAY_MINUTES = 24 * 60


def _time_key(container: ContainerInfo, now_ns: int) -> tuple[bool, int]:
    """Return a key that only containers share for which `since` is equally wide."""
    if container.state in ACTIVE_STATES and container.started_ns is not None:
        minutes = (now_ns - container.started_ns) // MINUTE_NS
        return True, minutes if minutes < DAY_MINUTES else minutes // 60 * 60
    return False, (container.finished_ns or container.created_ns) // QUARTER_NS


def content_widths(containers: list[ContainerInfo], clock: Clock, *, reasons: bool = False) -> dict[str, int]:
    """Return the width of each column's widest content; 0 leaves out an optional column.

    Args:
        containers: The rows.
        clock: The clock.
        reasons: Show why each is broken, in place of columns that mean nothing for exited containers.
    """
    widest: dict[str, int] = {column.key: 0 for column in COLUMNS}
    widest["name"] = len("NAME▴")
    widest |= dict.fromkeys(MEASURED, 5 * any(container.state in ACTIVE_STATES for container in containers))
    # Thousands of containers have few distinct states and times: only those are rendered.
    states: dict[tuple[str, str, int | None], ContainerInfo] = {}
    times: dict[tuple[bool, int], ContainerInfo] = {}
    now_ns = clock.now()
    for entry in containers:
        active = entry.state in ACTIVE_STATES
        widest["name"] = max(widest["name"], columns(entry.name))
        widest["image"] = max(widest["image"], columns(entry.image) if not entry.image.startswith("sha256:") else 12)
        widest["project"] = max(widest["project"], columns(entry.project))
        states[entry.state, entry.health, entry.exit_code] = entry
        times[_time_key(entry, now_ns)] = entry
        if entry.ports:
            widest["ports"] = max(widest["ports"], sum(len(piece.text) for piece in ports(entry)))
        if entry.memory_limit and active:
            widest["limit"] = max(widest["limit"], width(limit(entry, None)))
    if containers:
        widest["state"] = max(MIN_STATE_COLUMNS, *(width(state_and_health(entry)) for entry in states.values()))
        widest["since"] = max(width(since(entry, clock)) for entry in times.values())
    if reasons:
        widest |= {"reason": 100, "limit": 0, "ports": 0, **dict.fromkeys(MEASURED, 0)}
    return widest
