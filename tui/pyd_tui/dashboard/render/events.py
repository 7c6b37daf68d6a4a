"""Events as lines of text."""

from __future__ import annotations

from pyd_core.model.event import Event
from pyd_tui.dashboard.render.figures import SECOND, Clock
from pyd_tui.dashboard.render.pieces import EMPTY, Cell, Role, Span, cell, fit

CONTAINER_NAME = "pyd.container"
"""The attribute that the dashboard adds to events of networks: the name of the container, whose id they have."""

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

_WORDS = {
    "connect": "connected",
    "create": "created",
    "delete": "deleted",
    "destroy": "removed",
    "die": "died",
    "disconnect": "disconnected",
    "health_status": "health",
    "kill": "signalled",
    "oom": "out of memory",
    "pause": "paused",
    "pull": "pulled",
    "push": "pushed",
    "rename": "renamed",
    "restart": "restarted",
    "start": "started",
    "stop": "stopped",
    "tag": "tagged",
    "unpause": "unpaused",
    "untag": "untagged",
    "update": "updated",
}
"""The Engine API's verbs in words."""

HIDDEN_VERBS = frozenset({"exec_create", "exec_start", "exec_die", "top", "attach", "resize", "archive-path"})
"""Events caused by looking at a container; health probes cause a thousand of these an hour."""


def is_worth_showing(event: Event) -> bool:
    """Return whether an event is about a container's life rather than about a client looking at it."""
    return event.verb not in HIDDEN_VERBS


def event_line(event: Event, clock: Clock, *, times: bool = True, of_container: bool = False) -> Cell:
    """Write an event as time, type, verb, name and details.

    Args:
        event: The event.
        clock: The clock.
        times: Whether to show the time.
        of_container: Whether all events are those of one container, whose name is on the screen already.
    """
    when_ns = event.time_nano or event.time * SECOND
    details = event_details(event)
    named_elsewhere = of_container and event.type == "container"
    stamp = cell(f"{clock.local(when_ns):%H:%M:%S}  ", "dim") if times else EMPTY
    return (
        *stamp,
        *fit(cell(event.type, "dim"), 10),
        *fit(cell(verb_word(event), role(event)), 14),
        Span(" "),
        *(EMPTY if named_elsewhere else cell(f"{subject(event)}  " if details else subject(event))),
        *cell(", ".join(details), "dim"),
    )


def subject(event: Event) -> str:
    """Return the name of the event's object; a bare id is shortened to the twelve digits that people compare."""
    name = event.name.removeprefix("sha256:")
    return name[:12] if len(name) == 64 and name == event.actor.id.removeprefix("sha256:") else event.name


def verb_word(event: Event) -> str:
    """Return an event's verb in words; an unknown one as it is."""
    return _WORDS.get(event.verb, event.verb)


def role(event: Event) -> Role:
    """Return the role of an event's verb."""
    if event.verb == "die" and event.actor.attributes.get("exitCode") not in {"0", None}:
        return "bad"
    if event.verb == "health_status":
        return "good" if event.action.endswith(": healthy") else "bad"
    return _ROLES.get(event.verb, "text")


def event_details(event: Event) -> list[str]:
    """Return an event's details: exit code, signal, image, health status."""
    attributes = event.actor.attributes
    details: list[str] = []
    if event.verb == "health_status":
        details.append(event.action.partition(":")[2].strip())
    if message := attributes.get("message"):  # of a cluster's event
        details.append(message)
    if event.type == "network" and (
        container := attributes.get(CONTAINER_NAME) or attributes.get("container", "")[:12]
    ):
        details.append(container)
    if code := attributes.get("exitCode"):
        details.append(f"exit {code}")
    if signal := attributes.get("signal"):
        details.append(f"signal {signal}")
    if event.type == "container" and event.verb in {"create", "start"} and (image := attributes.get("image")):
        details.append(image)
    return details
