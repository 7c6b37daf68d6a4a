"""Times and states as `docker ps` shows them."""

from __future__ import annotations

import time

from pyd_core.daemon.containers.container import EngineContainer
from pyd_core.humanize import docker_duration
from pyd_core.model.base import parse_time


def _since(text: str) -> str:
    moment = parse_time(text)
    return docker_duration((time.time_ns() - moment) / 1e9 if moment is not None else 0)


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
