"""The dashboard's top line."""

from __future__ import annotations

from collections.abc import Iterable

from pyd_core.humanize import stepped_age
from pyd_core.watch.container_info import ContainerInfo
from pyd_core.watch.delta import ConnectionState
from pyd_tui.dashboard.render.figures import SECOND, Clock
from pyd_tui.dashboard.render.pieces import EMPTY, Cell, Role, Span, cell, width


def heading(engine: str, url: str, room: int) -> Cell:
    """Name the program, the engine and its address; parts that don't fit are left out from the end."""
    result: Cell = (Span("pyd", "title"),)
    parts: tuple[tuple[str, Role], ...] = ((engine, "text"), (url, "dim"))
    for text, role in parts:
        part: Cell = (Span("  "), *cell(text, role)) if text else EMPTY
        if width(result) + width(part) > room:
            break
        result += part
    return result


def counts(entries: Iterable[ContainerInfo], broken: int, *, short: bool) -> Cell:
    """Count the containers by state; zeros are left out, broken ones come last."""
    tally: dict[str, int] = {}
    total = 0
    for entry in entries:
        total += 1
        state = entry.state if entry.state in {"running", "paused", "restarting"} else "stopped"
        tally[state] = tally.get(state, 0) + 1
    if not total:
        return ()
    states: tuple[tuple[str, str, Role], ...] = (
        ("running", "●", "good"),
        ("paused", "‖", "info"),
        ("restarting", "↻", "warn"),
        ("stopped", "○", "dim"),
    )
    result: list[Span] = []
    for state, mark, role in states:
        if count := tally.get(state, 0):
            result += _count(mark, count, "" if short else state, role)
    if broken:
        result += _count("✗", broken, "" if short else "broken", "bad")
    return tuple(result[1:])


def _count(mark: str, count: int, label: str, role: Role) -> tuple[Span, ...]:
    return (Span("  "), Span(f"{mark} ", role), Span(str(count), "text"), Span(f" {label}" if label else "", "dim"))


def freshness(connection: ConnectionState, clock: Clock) -> Cell:
    """Show whether the data is current, and if not, how old it is."""
    match connection.state:
        case "live":
            return (Span("live", "good"),)
        case "connecting":
            return (Span("connecting", "warn"),)
        case _:
            return (
                Span("○ no engine for ", "bad"),
                Span(stepped_age(max(0, clock.now() - connection.since_ns) // SECOND), "bad"),
            )
