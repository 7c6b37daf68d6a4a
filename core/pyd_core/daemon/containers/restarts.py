"""Restart policies: whether and when a container that ended is started again."""

from __future__ import annotations

from pyd_core.daemon.containers.record import ContainerRecord
from pyd_core.model.base import parse_time

FIRST_DELAY_S = 0.1
"""The delay before the first restart; doubled each time up to `MAX_DELAY_S`, as in Docker Engine."""
MAX_DELAY_S = 60.0
MIN_STEADY_RUN_S = 10.0
"""How long a container must run to reset its delay."""


class Delays:
    """The delay of each container's next restart."""

    def __init__(self) -> None:
        self._next: dict[str, float] = {}

    def take(self, record: ContainerRecord) -> float:
        """Return a container's delay, and lengthen its next one."""
        ran = ((parse_time(record.finished_at) or 0) - (parse_time(record.started_at) or 0)) / 1e9
        delay = FIRST_DELAY_S if ran > MIN_STEADY_RUN_S else self._next.get(record.id, FIRST_DELAY_S)
        self._next[record.id] = min(delay * 2, MAX_DELAY_S)
        return delay

    def forget(self, key: str) -> None:
        """Forget a removed container."""
        self._next.pop(key, None)


def is_restarted_after_end(record: ContainerRecord) -> bool:
    """Return whether a container that has ended on its own is restarted."""
    if record.stopped_by_hand:
        return False
    policy = record.host.restart_policy
    if policy.name == "on-failure":
        most = policy.maximum_retry_count
        return record.exit_code != 0 and (not most or record.restart_count < most)
    return policy.name in {"always", "unless-stopped"}


def is_started_with_engine(record: ContainerRecord) -> bool:
    """Return whether a container that a client stopped is started with the engine."""
    return record.host.restart_policy.name == "always" and record.stopped_by_hand
