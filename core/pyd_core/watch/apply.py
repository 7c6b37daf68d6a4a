"""What an event alone tells of a container, before any inspect."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from pyd_core.model.event import Event
from pyd_core.watch.container_info import ContainerInfo

ENDINGS = frozenset({"destroy", "remove"})
"""Docker Engine's word and Podman's."""

_TELL_ALL = frozenset({"pause", "unpause", "rename", "health_status", "oom"})
_PARTIAL_EVENTS = frozenset({"create", "start", "die", "died", "restart", "update", "init", "restore"})


def needs_inspect(event: Event) -> bool:
    """Tells whether a container's event changes more than it says.

    What runs inside (`exec_*`), what reads from it (`top`, `attach`, `archive-path`) and the signals sent to it change
    nothing by themselves.
    """
    return event.verb in _PARTIAL_EVENTS or (event.verb == "health_status" and _health(event) == "")


def applied(event: Event, known: ContainerInfo | None) -> ContainerInfo | None:
    """Return the entry after an event, as far as the event tells; None for one that tells nothing.

    A container that wasn't known appears with its name and image.
    """
    verb, facts = event.verb, event.actor.attributes
    if verb not in _TELL_ALL and verb not in _PARTIAL_EVENTS:
        return known
    time_ns = event.time_nano or event.time * 1_000_000_000
    entry = known or ContainerInfo(
        id=event.actor.id,
        name=facts.get("name", event.actor.id[:12]),
        image=facts.get("image", ""),
        state="created",
        created_ns=time_ns,
    )
    return replace(entry, **_told(verb, event, time_ns, entry))


def _told(verb: str, event: Event, time_ns: int, entry: ContainerInfo) -> dict[str, Any]:
    """The fields an event gives a new value."""
    told: dict[str, Any] = {}
    match verb:
        case "start":
            told = {"state": "running", "started_ns": time_ns, "exit_code": None, "error": "", "pid": 0}
        case "die" | "died":
            told = {"state": "exited", "finished_ns": time_ns, "exit_code": _exit_code(event), "pid": 0, "health": ""}
        case "pause":
            told = {"state": "paused"}
        case "unpause":
            told = {"state": "running"}
        case "rename":
            told = {"name": event.actor.attributes.get("name", entry.name)}
        case "oom":
            told = {"oom_ns": time_ns}
        case "health_status":
            told = {"health": _health(event) or entry.health}
    return told


def _health(event: Event) -> str:
    told = event.action.partition(":")[2].strip() or event.actor.attributes.get("health_status", "")
    return told if told in {"starting", "healthy", "unhealthy"} else ""


def _exit_code(event: Event) -> int | None:
    told = event.actor.attributes.get("exitCode") or event.actor.attributes.get("containerExitCode", "")
    return int(told) if told.isdecimal() and told.isascii() and len(told) < 6 else None
