"""Times and states as `docker ps` shows them."""

from __future__ import annotations

import time

from pyd_core.daemon.containers.container import EngineContainer
from pyd_core.model.base import parse_time

_STEPS = (
    (1, "Less than a second", 0),
    (2, "1 second", 0),
    (60, "{} seconds", 1),
    (120, "About a minute", 0),
    (3600, "{} minutes", 60),
    (5400, "About an hour", 0),
    (48 * 3600, "{} hours", 3600),
    (14 * 86400, "{} days", 86400),
    (60 * 86400, "{} weeks", 7 * 86400),
    (730 * 86400, "{} months", 30 * 86400),
)
"""Upper bounds in seconds, their texts, and the unit these count."""


def ago(seconds: float) -> str:
    """Return a duration as text: `About a minute`, `3 hours`."""
    for end, words, unit in _STEPS:
        if seconds < end:
            return words.format(int(seconds // unit) if unit else "")
    return f"{int(seconds // (365 * 86400))} years"


def _since(text: str) -> str:
    moment = parse_time(text)
    return ago((time.time_ns() - moment) / 1e9) if moment is not None else ago(0)


def status(container: EngineContainer) -> str:
    """Return the STATUS column of `docker ps`."""
    record = container.record
    since, ended = _since(record.started_at), _since(record.finished_at)
    known = {
        "running": f"Up {since}{_health(container)}",
        "paused": f"Up {since} (Paused)",
        "restarting": f"Restarting ({record.exit_code}) {ended} ago",
        "created": "Created",
        "removing": "Removal In Progress",
        "dead": "Dead",
    }
    return known.get(record.status, f"Exited ({record.exit_code}) {ended} ago")


def _health(container: EngineContainer) -> str:
    if container.health is None or container.health.status in {"", "none"}:
        return ""
    word = container.health.status
    return " (health: starting)" if word == "starting" else f" ({word})"
