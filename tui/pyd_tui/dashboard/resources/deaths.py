"""The view of recorded deaths on this machine, of removed containers too."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, cast

from msgspec.structs import replace

from pyd_core.client.endpoint import Endpoint
from pyd_core.errors import InvalidInput, NotFound
from pyd_core.humanize import compact_size
from pyd_core.model.event import Event
from pyd_core.watch.history_path import default_path
from pyd_tui.dashboard.actions.next_steps import with_engine
from pyd_tui.dashboard.render.facts import block
from pyd_tui.dashboard.render.figures import Clock, counted
from pyd_tui.dashboard.render.layout import LayoutColumn
from pyd_tui.dashboard.render.pieces import EMPTY, Cell, Role, cell
from pyd_tui.dashboard.render.why import why
from pyd_tui.dashboard.resources.base import LoadContext, ResourceView, Row
from pyd_tui.text.curve import curve

if TYPE_CHECKING:
    from pyd_core.triage.verdict import Verdict
    from pyd_core.watch.history_store import Death

COLUMNS = (
    LayoutColumn(key="died", title="DIED", min_width=15, max_width=15, priority=1),
    LayoutColumn(key="name", title="NAME", min_width=16, max_width=32, priority=0, whole=True),
    LayoutColumn(key="code", title="CODE", min_width=4, max_width=4, priority=2),
    LayoutColumn(key="lived", title="LIVED", min_width=6, max_width=8, priority=4),
    LayoutColumn(key="peak", title="PEAK", min_width=5, max_width=5, priority=5, optional=True),
    LayoutColumn(key="cause", title="CAUSE", min_width=14, max_width=24, priority=0),
    LayoutColumn(key="summary", title="SUMMARY", min_width=20, max_width=80, priority=3),
)

MAX_DEATHS = 500
CURVE_S = 15 * 60
"""The length of the memory curve before a death, in seconds."""

_ROLES: dict[str, Role] = {"broken": "bad", "notice": "warn", "fine": "good"}


def fold_clean_exits(deaths: Sequence[Death]) -> list[tuple[Death, int]]:
    """Return deaths with how many each stands for: the clean exits of a container are one, the newest."""
    counts: dict[str, int] = {}
    for death in deaths:
        if death.verdict.severity == "fine":
            counts[death.name] = counts.get(death.name, 0) + 1
    folded: list[tuple[Death, int]] = []
    for death in deaths:
        if death.verdict.severity != "fine":
            folded.append((death, 1))
        elif count := counts.pop(death.name, 0):
            folded.append((death, count))
    return folded


def row(death: Death, clock: Clock, count: int = 1) -> Row:
    """Return the row of a death, which may stand for several clean exits."""
    from pyd_core.humanize import duration  # noqa: PLC0415 - with triage's rules, on first use

    verdict = death.verdict
    times = f", and {counted(count - 1, 'earlier exit')} without an error" if count > 1 else ""
    cells = (
        cell(f"{clock.local(death.ended_ns):%d %b %H:%M:%S}", "dim"),
        cell(death.name),
        cell("" if death.code is None else str(death.code), "bad" if death.code else "dim"),
        cell("" if death.seconds is None else duration(death.seconds), "dim"),
        cell("" if death.memory_peak is None else compact_size(death.memory_peak), "dim"),
        cell(verdict.cause, _ROLES.get(verdict.severity, "text")),
        cell(f"{verdict.reason or verdict.summary.removeprefix(death.name).strip()}{times}"),
    )
    words = f"{death.container} {death.image}"
    known = {"died": death.ended_ns, "lived": death.seconds, "peak": death.memory_peak}
    return Row(
        key=f"{death.container} {death.ended_ns}",
        name=death.name,
        cells=cells,
        thing=death,
        words=words,
        ranks={column: float(value) for column, value in known.items() if value is not None},
    )


async def _load(context: LoadContext) -> list[Row]:
    deaths = await asyncio.to_thread(_read)
    return [row(death, context.clock, count) for death, count in fold_clean_exits(deaths)]


def _read() -> list[Death]:
    from pyd_core.watch.history_store import HistoryReader  # noqa: PLC0415 - on first use

    try:
        reader = HistoryReader(default_path())
    except NotFound:
        return []
    try:
        return reader.deaths(limit=MAX_DEATHS)
    finally:
        reader.close()


async def _about(context: LoadContext, row: Row) -> list[Cell]:
    death = cast("Death", row.thing)
    loop_text, bars = await asyncio.to_thread(_around, death)
    return [
        *block("Loop", [cell(f" {loop_text}", "warn")] if loop_text else []),
        *why(of_engine(death, context.link.endpoint), context.clock, context.room),
        *block("Memory before it died", [cell(f" {bars}")] if bars else []),
        *block("Last lines", [cell(f" {text}") for text in death.lines]),
        *([EMPTY] if death.lines else []),
    ]


def of_engine(death: Death, current: Endpoint | None) -> Verdict:
    """Return the verdict with commands for the engine of the death, which may not be the current one."""
    endpoint = current
    if death.engine and (current is None or current.url != death.engine):
        with suppress(InvalidInput):  # a record of another version
            endpoint = Endpoint(url=death.engine, origin="history")
    advice = tuple(with_engine(text, endpoint) for text in death.verdict.advice)
    return replace(death.verdict, advice=advice)


def _around(death: Death) -> tuple[str, str]:
    """Return the restart loop that the death belongs to, if any, and the memory curve before it."""
    from pyd_core.watch.history_store import HistoryReader  # noqa: PLC0415 - on first use
    from pyd_core.watch.restart_loops import describe_loop  # noqa: PLC0415 - on first use

    reader = HistoryReader(default_path())
    try:
        earlier = [other for other in reader.deaths(death.name) if other.ended_ns <= death.ended_ns]
        ended = death.ended_ns // 10**9
        points = reader.points(death.container, since=ended - CURVE_S, until=ended)
    finally:
        reader.close()
    return describe_loop(earlier), curve([point.memory for point in points if point.memory is not None])


def _refreshed_by(event: Event) -> bool:
    return event.type == "container" and event.verb in {"die", "died", "destroy"}


DEATHS = ResourceView(
    name="deaths",
    columns=COLUMNS,
    load=_load,
    about=_about,
    refreshed_by=_refreshed_by,
    empty="no recorded deaths; they are recorded while the dashboard is open, or by pyd record",
    container=lambda row: cast("Death", row.thing).container,
)
