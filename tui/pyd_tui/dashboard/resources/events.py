"""The view of the engine's events, the newest first, with those from before the dashboard was opened."""

from __future__ import annotations

from pyd_core.client.gap import Gap
from pyd_core.model.event import Event
from pyd_tui.dashboard.engines.timeline import EventItem
from pyd_tui.dashboard.render.events import event_details, is_worth_showing, role, subject, verb_word
from pyd_tui.dashboard.render.facts import LABEL_COLUMNS, block, fact, wrapped
from pyd_tui.dashboard.render.figures import SECOND, Clock, counted, full_moment
from pyd_tui.dashboard.render.layout import LayoutColumn
from pyd_tui.dashboard.render.pieces import EMPTY, Cell, Span, cell, columns, fit
from pyd_tui.dashboard.resources.base import LoadContext, ResourceView, Row

COLUMNS = (
    LayoutColumn(key="time", title="TIME", min_width=15, max_width=15, priority=1),
    LayoutColumn(key="type", title="TYPE", min_width=9, max_width=10, priority=4),
    LayoutColumn(key="action", title="ACTION", min_width=12, max_width=24, priority=0),
    LayoutColumn(key="name", title="NAME", min_width=14, max_width=44, priority=0, cut_start=True),
    LayoutColumn(key="facts", title="FACTS", min_width=len("unhealthy"), max_width=160, priority=2),
)
MAX_NAME_COLUMNS = 34
"""The width of the names of attributes."""


def row(item: EventItem, clock: Clock) -> Row:
    """Return the row of an event, or of a gap between two."""
    if isinstance(item, Gap):
        cells = (cell(f"{clock.local(item.until_ns):%d %b %H:%M:%S}", "dim"), EMPTY, EMPTY, *_gap(item))
        return Row(key=f"gap {item.until_ns}", name="gap", cells=cells, thing=item, ranks={"time": item.until_ns})
    when = item.time_nano or item.time * SECOND
    cells = (
        cell(f"{clock.local(when):%d %b %H:%M:%S}", "dim"),
        cell(item.type, "dim"),
        cell(verb_word(item), role(item)),
        cell(subject(item)),
        cell(", ".join(event_details(item)), "dim"),
    )
    words = " ".join([item.action, item.actor.id, *item.actor.attributes.values()])
    return Row(
        key=f"{when} {item.type} {item.action} {item.actor.id}",
        name=item.name,
        cells=cells,
        thing=item,
        words=words,
        ranks={"time": when},
    )


def _gap(item: Gap) -> tuple[Cell, Cell]:
    """Return the name and the facts of a gap; the name is short, as names are cut at their start."""
    if item.lost is None:
        facts = "some events may be missing"
    else:
        facts = f"{counted(item.lost, 'event')} missing" if item.lost else "nothing is missing"
    return cell("connection was cut", "warn"), cell(facts, "warn")


async def _load(context: LoadContext) -> list[Row]:
    names = {identity: entry.name for identity, entry in context.link.containers.items()}
    await context.link.timeline.save_state(context.provider, context.clock.now(), names)
    rows = [row(item, context.clock) for item in context.link.timeline.items]
    return list(reversed({row.key: row for row in rows}.values()))


async def _about(context: LoadContext, row: Row) -> list[Cell]:
    if not isinstance(row.thing, Event):
        return [EMPTY, (Span(" "), *row.cells[3], Span(": "), *row.cells[4])]
    event = row.thing
    when = event.time_nano or event.time * SECOND
    lines = [
        fact("when", cell(full_moment(when, context.clock)), cell(f".{when % SECOND // 1_000_000:03d}", "dim")),
        fact("what", cell(f"{event.type} {event.action}", role(event))),
        fact("ID", cell(event.actor.id, "dim")),
    ]
    attributes = sorted(event.actor.attributes.items())
    room = max(LABEL_COLUMNS, min(MAX_NAME_COLUMNS, max((columns(name) for name, _ in attributes), default=0) + 2))
    attribute_lines = [
        (Span(" "), *fit(cell(name if not index else "", "dim"), room - 2), Span("  "), *cell(line))
        for name, value in attributes
        for index, line in enumerate(wrapped(value, context.room - room - 1))
    ]
    return block("Event", lines)[1:] + block("Attributes", attribute_lines)


def _container(row: Row) -> str | None:
    return row.thing.actor.id if isinstance(row.thing, Event) and row.thing.type == "container" else None


def _moment(row: Row) -> int:
    return row.thing.time_nano or row.thing.time * SECOND if isinstance(row.thing, Event) else 0


EVENTS = ResourceView(
    name="events",
    columns=COLUMNS,
    load=_load,
    about=_about,
    refreshed_by=is_worth_showing,
    empty="the engine has no events",
    container=_container,
    moment=_moment,
)
