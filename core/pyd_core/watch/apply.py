"""Application of events to container info, before any inspect."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from pyd_core.model.event import Event
from pyd_core.watch.container_info import ContainerInfo

REMOVALS = frozenset({"destroy", "remove"})
"""The verbs of Docker Engine and Podman."""

_COMPLETE_EVENTS = frozenset({"pause", "unpause", "rename", "health_status", "oom"})
_PARTIAL_EVENTS = frozenset({"create", "start", "die", "died", "restart", "update", "init", "restore"})


def needs_inspect(event: Event) -> bool:
    """Return whether a container's event changes more than it contains.

    Commands in it (`exec_*`), readers (`top`, `attach`, `archive-path`) and signals change nothing on their own.
    """
    return event.verb in _PARTIAL_EVENTS or (event.verb == "health_status" and _health(event) == "")


def apply_event(event: Event, known: ContainerInfo | None) -> ContainerInfo | None:
    """Return the container info after an event; None if the event changes nothing of an unknown container.

    A container that wasn't known appears with its name and image.
    """
    verb, attributes = event.verb, event.actor.attributes
    if verb not in _COMPLETE_EVENTS and verb not in _PARTIAL_EVENTS:
        return known
    time_ns = event.time_nano or event.time * 1_000_000_000
    info = known or ContainerInfo(
        id=event.actor.id,
        name=attributes.get("name", event.actor.id[:12]),
        image=attributes.get("image", ""),
        state="created",
        created_ns=time_ns,
    )
    return replace(info, **_changed_fields(verb, event, time_ns, info))


def _changed_fields(verb: str, event: Event, time_ns: int, info: ContainerInfo) -> dict[str, Any]:
    """Return the fields that an event changes, with their new values."""
    fields: dict[str, Any] = {}
    match verb:
        case "start":
            fields = {"state": "running", "started_ns": time_ns, "exit_code": None, "error": "", "pid": 0}
        case "die" | "died":
            fields = {"state": "exited", "finished_ns": time_ns, "exit_code": _exit_code(event), "pid": 0, "health": ""}
        case "pause":
            fields = {"state": "paused"}
        case "unpause":
            fields = {"state": "running"}
        case "rename":
            fields = {"name": event.actor.attributes.get("name", info.name)}
        case "oom":
            fields = {"oom_ns": time_ns}
        case "health_status":
            fields = {"health": _health(event) or info.health}
    return fields


def _health(event: Event) -> str:
    status = event.action.partition(":")[2].strip() or event.actor.attributes.get("health_status", "")
    return status if status in {"starting", "healthy", "unhealthy"} else ""


def _exit_code(event: Event) -> int | None:
    code = event.actor.attributes.get("exitCode") or event.actor.attributes.get("containerExitCode", "")
    return int(code) if code.isdecimal() and code.isascii() and len(code) < 6 else None
