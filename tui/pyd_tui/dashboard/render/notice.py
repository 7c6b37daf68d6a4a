"""Text in place of an empty list."""

from __future__ import annotations

import textwrap

from pyd_core.sanitise import safe
from pyd_core.watch.delta import ConnectionState
from pyd_tui.dashboard.render.pieces import EMPTY, Cell, Role, Span, cell

OBJECTS = {
    "engine": ("containers", "on this engine"),
    "cluster": ("pods", "in this namespace"),
    "node": ("containers", "on this node"),
}
"""The objects that a list shows, and where they are created, by the family of the provider."""


def notice(
    connection: ConnectionState,
    *,
    total: int,
    filtered: str,
    room: int,
    demo_key: str = "",
    family: str = "engine",
) -> list[Cell]:
    """Return the reason for an empty list, and the next step.

    Args:
        connection: State of the connection.
        total: Number of containers, shown or not.
        filtered: The filters that hide them, as verbs: `is running`; empty without any.
        room: Terminal columns a line may take.
        demo_key: The key that starts the demo; empty if none is bound, or the provider has no demo.
        family: The family of the provider.
    """
    if total and filtered:
        return [
            cell(f"no container {filtered} (0 of {total:,})", "text"),
            EMPTY,
            _keys("esc", "shows all"),
        ]
    match connection.state:
        case "connecting":
            return [cell("connecting…", "dim")]
        case "live":
            objects, where = OBJECTS.get(family, OBJECTS["engine"])
            return [
                cell(f"no {objects} yet", "text"),
                EMPTY,
                *_wrapped(f"{objects} appear here as soon as they are created {where}", "dim", room),
                *((EMPTY, *_demo(demo_key, room)) if demo_key else ()),
            ]
        case _:
            return _connection_error(connection, room)


def _connection_error(connection: ConnectionState, room: int) -> list[Cell]:
    error = connection.error
    lines = _wrapped(error.message if error else "the engine doesn't answer", "bad", room)
    if error is not None and error.hint:
        lines += [EMPTY, *_wrapped(error.hint, "text", room)]
    return [*lines, EMPTY, *_wrapped("pyd keeps trying, and connects as soon as an engine answers", "dim", room)]


def _wrapped(text: str, role: Role, room: int) -> list[Cell]:
    return [cell(line, role) for line in textwrap.wrap(safe(text), min(room, 88))]


def _demo(key: str, room: int) -> list[Cell]:
    first, *rest = _wrapped("starts a demo: a Compose project of five containers", "dim", room - len(key) - 1)
    return [(Span(f"{key} ", "accent"), *first), *((Span(" " * (len(key) + 1)), *line) for line in rest)]


def _keys(key: str, text: str) -> Cell:
    return (Span(key, "accent"), Span(f" {text}", "dim"))
