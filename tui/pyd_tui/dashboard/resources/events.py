"""Events: what happened on the engine, the newest first, from before the dashboard was opened on."""

from __future__ import annotations

from pyd_core.client.gap import Gap
from pyd_core.model.event import Event
from pyd_tui.dashboard.engines.timeline import EventItem
from pyd_tui.dashboard.render.events import event_details, is_worth_showing, role, subject
from pyd_tui.dashboard.render.facts import LABEL_COLUMNS, block, fact
from pyd_tui.dashboard.render.figures import SECOND, Clock, full_moment
from pyd_tui.dashboard.render.layout import LayoutColumn
from pyd_tui.dashboard.render.logs import gap
from pyd_tui.dashboard.render.pieces import EMPTY, Cell, Span, cell, columns, fit
from pyd_tui.dashboard.resources.base import LoadContext, ResourceView, Row

COLUMNS = (
    LayoutColumn(key="time", title="TIME", min_width=15, max_width=15, priority=1),
    LayoutColumn(key="type", title="TYPE", min_width=9, max_width=10, priority=4),
    LayoutColumn(key="action", title="ACTION", min_width=12, max_width=16, priority=0),
    LayoutColumn(key="name", title="NAME", min_width=14, max_width=44, priority=0),
    LayoutColumn(key="facts", title="FACTS", min_width=8, max_width=80, priority=2),
)
WIDEST = 34
"""Terminal columns of the names of attributes."""


def row(item: EventItem, clock: Clock) -> Row:
    """Returns an event's line, or that of a hole between two."""
    if isinstance(item, Gap):
        cells = (cell(f"{clock.local(item.until_ns):%d %b %H:%M:%S}", "dim"), EMPTY, EMPTY, gap(item), EMPTY)
        return Row(key=f"gap {item.until_ns}", name="gap", cells=cells, thing=item)
    when = item.time_nano or item.time * SECOND
    cells = (
        cell(f"{clock.local(when):%d %b %H:%M:%S}", "dim"),
        cell(item.type, "dim"),
        cell(item.verb.removesuffix("_status"), role(item)),
        cell(subject(item)),
        cell(", ".join(event_details(item)), "dim"),
    )
    words = " ".join([item.actor.id, *item.actor.attributes.values()])
    return Row(
        key=f"{when} {item.type} {item.action} {item.actor.id}", name=item.name, cells=cells, thing=item, words=words
    )


async def _load(stock: LoadContext) -> list[Row]:
    await stock.link.timeline.save_state(stock.engine, stock.clock.now())
    rows = {found.key: found for found in (row(item, stock.clock) for item in stock.link.timeline.items)}
    return list(reversed(rows.values()))


async def _about(stock: LoadContext, row: Row) -> list[Cell]:
    if not isinstance(row.thing, Event):
        return [EMPTY, *row.cells[3:4]]
    event = row.thing
    when = event.time_nano or event.time * SECOND
    lines = [
        fact("when", cell(full_moment(when, stock.clock)), cell(f".{when % SECOND // 1_000_000:03d}", "dim")),
        fact("what", cell(f"{event.type} {event.action}", role(event))),
        fact("id", cell(event.actor.id, "dim")),
    ]
    given = sorted(event.actor.attributes.items())
    room = max(LABEL_COLUMNS, min(WIDEST, max((columns(name) for name, _ in given), default=0) + 2))
    told = [(Span(" "), *fit(cell(name, "dim"), room), *cell(value)) for name, value in given]
    return block("Event", lines)[1:] + block("Attributes", told)


def _container(row: Row) -> str | None:
    return row.thing.actor.id if isinstance(row.thing, Event) and row.thing.type == "container" else None


def _moment(row: Row) -> int:
    return row.thing.time_nano or row.thing.time * SECOND if isinstance(row.thing, Event) else 0


EVENTS = ResourceView(
    name="events",
    columns=COLUMNS,
    load=_load,
    about=_about,
    renewed_by=is_worth_showing,
    empty="nothing has happened that the engine remembers",
    container=_container,
    moment=_moment,
)
