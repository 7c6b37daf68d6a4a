"""Events and log lines as lines of text."""

from __future__ import annotations

from pyd_core.model.event import Event
from pyd_tui.dashboard.render.figures import SECOND, Clock
from pyd_tui.dashboard.render.pieces import EMPTY, Cell, Role, Span, cell, fit

_ROLES: dict[str, Role] = {
    "start": "good",
    "unpause": "good",
    "create": "accent",
    "die": "warn",
    "oom": "bad",
    "kill": "warn",
    "pause": "info",
    "stop": "dim",
    "destroy": "dim",
    "restart": "accent",
}

LEFT_OUT = frozenset({"exec_create", "exec_start", "exec_die", "top", "attach", "resize", "archive-path"})
"""What looking at a container causes; health probes make a thousand of these an hour."""


def is_worth_showing(event: Event) -> bool:
    """Whether an event says something about a container's life rather than about somebody looking at it."""
    return event.verb not in LEFT_OUT


def event_line(event: Event, clock: Clock, *, times: bool = True) -> Cell:
    """Writes an event as time, type, verb, name and what else is worth knowing."""
    when_ns = event.time_nano or event.time * SECOND
    told = facts(event)
    stamp = cell(f"{clock.local(when_ns):%H:%M:%S}  ", "dim") if times else EMPTY
    return (
        *stamp,
        *fit(cell(event.type, "dim"), 10),
        *fit(cell(event.verb, role(event)), 14),
        Span(" "),
        *cell(named(event)),
        *(cell("  " + ", ".join(told), "dim") if told else EMPTY),
    )


def named(event: Event) -> str:
    """Names what it happened to; a bare id is cut to what people compare, twelve digits."""
    name = event.name.removeprefix("sha256:")
    return name[:12] if len(name) == 64 and name == event.actor.id.removeprefix("sha256:") else event.name


def role(event: Event) -> Role:
    """Returns what its verb means: good, bad, or worth no colour."""
    if event.verb == "die" and event.actor.attributes.get("exitCode") not in {"0", None}:
        return "bad"
    if event.verb == "health_status":
        return "good" if event.action.endswith(": healthy") else "bad"
    return _ROLES.get(event.verb, "text")


def facts(event: Event) -> list[str]:
    """Returns what else is worth knowing of it: exit code, signal, image, what a health probe found."""
    attributes = event.actor.attributes
    told: list[str] = []
    if event.verb == "health_status":
        told.append(event.action.partition(":")[2].strip())
    if code := attributes.get("exitCode"):
        told.append(f"exit {code}")
    if signal := attributes.get("signal"):
        told.append(f"signal {signal}")
    if event.type == "container" and event.verb in {"create", "start"} and (image := attributes.get("image")):
        told.append(image)
    return told
