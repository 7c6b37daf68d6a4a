"""Events as lines."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pyd_core.model.event import Event
from pyd_core.sanitise import safe

_SHOWN = ("image", "exitCode", "signal", "execID", "container", "driver", "oldName", "message")
"""Attributes shown on a line, in this order; `--json` has all of them."""
_COLOURS = {
    "die": "31",
    "oom": "1;31",
    "kill": "33",
    "destroy": "2",
    "start": "32",
    "pause": "33",
    "unpause": "32",
    "health_status": "36",
}


def fields(event: Event) -> dict[str, Any]:
    """Return the fields of an event that templates of the docker CLI can name."""
    actor = {"ID": event.actor.id, "Attributes": dict(event.actor.attributes)}
    container = event.type == "container"
    return {
        "Type": event.type,
        "Action": event.action,
        "Actor": actor,
        "Scope": event.scope,
        "Time": event.time,
        "TimeNano": event.time_nano,
        "Status": event.action if container else "",
        "ID": event.actor.id if container else "",
        "From": event.actor.attributes.get("image", "") if container else "",
    }


def line(event: Event, *, colour: bool = False) -> str:
    """Return an event as one line: local time, kind, action, name and selected attributes."""
    moment = datetime.fromtimestamp((event.time_nano or event.time * 10**9) / 1e9).astimezone()
    attributes = event.actor.attributes
    details = [f"{key}={attributes[key]}" for key in _SHOWN if attributes.get(key) and attributes[key] != event.name]
    action = safe(event.action)
    code = _COLOURS.get(event.verb)
    if event.verb == "die" and attributes.get("exitCode") == "0":
        code = "2"
    if colour and code:
        action = f"\x1b[{code}m{action}\x1b[0m"
    when = f"{moment:%Y-%m-%d %H:%M:%S}.{moment.microsecond // 1000:03d}"
    parts = (when, safe(event.type), action, safe(event.name), *map(safe, details))
    return " ".join(part.replace("\t", " ") for part in parts)
