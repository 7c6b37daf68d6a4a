"""Several engines: as tabs, and as rows of a table."""

from __future__ import annotations

from collections.abc import Sequence

from pyd_core.errors import PydError
from pyd_core.humanize import stepped_age
from pyd_core.watch.delta import ConnectionState
from pyd_tui.dashboard.render.figures import SECOND, Clock
from pyd_tui.dashboard.render.layout import LayoutColumn
from pyd_tui.dashboard.render.pieces import EMPTY, Cell, Role, Span, cell, fit, width

COLUMNS = (
    LayoutColumn(key="name", title="NAME", min_width=12, max_width=40, priority=0, whole=True),
    LayoutColumn(key="state", title="STATE", min_width=15, max_width=15, priority=0),
    LayoutColumn(key="running", title="RUNNING", min_width=7, max_width=7, priority=2, right=True),
    LayoutColumn(key="all", title="ALL", min_width=5, max_width=7, priority=3, right=True),
    LayoutColumn(key="broken", title="BROKEN", min_width=6, max_width=6, priority=1, right=True),
    LayoutColumn(key="engine", title="ENGINE", min_width=14, max_width=24, priority=4),
    LayoutColumn(key="address", title="ADDRESS", min_width=16, max_width=100, priority=5, whole=True),
    LayoutColumn(key="error", title="ERROR", min_width=20, max_width=90, priority=1, optional=True),
)

_STATES: dict[str, tuple[str, str, Role]] = {
    "live": ("●", "live", "good"),
    "connecting": ("…", "connecting", "warn"),
    "lost": ("○", "no engine", "bad"),
    "": ("◌", "not connected", "dim"),
}


Tab = tuple[str, str, int, bool]
"""An engine's tab: name, connection state, number of broken containers, whether it is shown."""


def tabs(engines: Sequence[Tab], room: int) -> Cell:
    """Write the engines in a line; where they don't fit, only the current one and its position."""
    pieces: list[Span] = []
    for name, state, broken, current in engines:
        shape, _, role = _STATES[state]
        pieces += (Span("  " if pieces else ""), Span(f"{shape} ", role))
        pieces += cell(name, "title" if current else "dim")
        if broken:
            pieces.append(Span(f" ✗{broken}", "bad"))
    if width(pieces) <= room or len(engines) < 2:
        return tuple(piece for piece in pieces if piece.text)
    if all(tab[3] for tab in engines):
        broken = sum(tab[2] for tab in engines)
        return (Span(f"{len(engines)} engines", "title"), *([Span(f" ✗{broken}", "bad")] if broken else []))
    index = next((i for i, tab in enumerate(engines) if tab[3]), 0)
    position = f"  {index + 1} of {len(engines)}"
    tab = tabs([engines[index]], room)
    return (*fit(tab, min(width(tab), max(8, room - len(position)))), Span(position, "dim"))


def engine_label(name: str, connection: ConnectionState, clock: Clock) -> Cell:
    """Name a container's engine; for a lost engine, add how old the data is."""
    if connection.state != "lost":
        return cell(name, "accent")
    return (
        *cell(name, "bad"),
        Span(f" ({stepped_age(max(0, clock.now() - connection.since_ns) // SECOND)} old)", "bad"),
    )


def freshness_of_all(engines: Sequence[tuple[str, ConnectionState]], clock: Clock, room: int) -> Cell:
    """Show whether the data of several engines is current; for the first lost one, since when and why."""
    lost = [(name, connection) for name, connection in engines if connection.state == "lost"]
    if not lost:
        live = all(connection.state == "live" for _, connection in engines)
        return (Span("live", "good"),) if live else (Span("connecting", "warn"),)
    name, connection = lost[0]
    pieces = [Span("○ ", "bad"), *engine_label(name, connection, clock)]
    if others := len(lost) - 1:
        pieces.append(Span(f" and {others} more", "bad"))
    if connection.error is not None:
        pieces += cell(f": {connection.error.message}", "dim")
    return fit(tuple(pieces), min(width(pieces), room))


def row(
    name: str, state: str, *, counts: tuple[int, int, int], engine: str, address: str, error: PydError | None
) -> tuple[Cell, ...]:
    """Return the cells of `COLUMNS`; `counts` are the running, all and broken containers, all zero if unknown."""
    shape, text, role = _STATES[state]
    running, total, broken = counts
    known = state in {"live", "lost"} and total > 0
    return (
        cell(name, "strong" if state == "live" else "text"),
        (Span(f"{shape} ", role), Span(text, role)),
        cell(f"{running:,}" if known else ""),
        cell(f"{total:,}" if known else "", "dim"),
        cell(f"{broken:,}", "bad") if known and broken else EMPTY,
        cell(engine),
        cell(address, "dim"),
        cell(error.message, "bad") if error is not None else EMPTY,
    )
