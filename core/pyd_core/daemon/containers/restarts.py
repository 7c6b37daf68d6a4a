"""Restart policies: whether a container that ended is started again, and after how long."""

from __future__ import annotations

from pyd_core.daemon.containers.record import ContainerRecord
from pyd_core.model.base import parse_time

FIRST_DELAY = 0.1
"""Seconds before the first restart; doubled each time up to `LONGEST_DELAY`, as Docker Engine does."""
LONGEST_DELAY = 60.0
STEADY = 10.0
"""Seconds a container must have run for its delay to begin anew."""


class Delays:
    """How long each container waits for its next restart."""

    def __init__(self) -> None:
        self._next: dict[str, float] = {}

    def take(self, record: ContainerRecord) -> float:
        """Returns the seconds that a container waits now; the next time it is longer."""
        ran = ((parse_time(record.finished_at) or 0) - (parse_time(record.started_at) or 0)) / 1e9
        delay = FIRST_DELAY if ran > STEADY else self._next.get(record.id, FIRST_DELAY)
        self._next[record.id] = min(delay * 2, LONGEST_DELAY)
        return delay

    def forget(self, key: str) -> None:
        """Drops what is known of a container that is gone."""
        self._next.pop(key, None)


def wanted(record: ContainerRecord) -> bool:
    """Whether a container that has ended by itself is started again."""
    if record.stopped_by_hand:
        return False
    policy = record.host.restart_policy
    if policy.name == "on-failure":
        most = policy.maximum_retry_count
        return record.exit_code != 0 and (not most or record.restart_count < most)
    return policy.name in {"always", "unless-stopped"}


def wanted_by_engine(record: ContainerRecord) -> bool:
    """Whether a container that was stopped by hand is started with the engine."""
    return record.host.restart_policy.name == "always" and record.stopped_by_hand
