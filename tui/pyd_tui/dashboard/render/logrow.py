"""Rows of the log screen: time, container, level and text, or a structured line's fields in columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pyd_core.client.gap import Gap
from pyd_core.logs.annotation import Annotation
from pyd_core.logs.fields import level_of, record
from pyd_core.logs.filters import Filter, Filters
from pyd_core.logs.levels import LogLevel
from pyd_core.logs.line import LogLine
from pyd_core.logs.pattern import LogPattern
from pyd_core.logs.store import LogItem
from pyd_tui.dashboard.render.figures import Clock, counted
from pyd_tui.dashboard.render.logs import LONGEST_SHOWN, coloured, gap
from pyd_tui.dashboard.render.pieces import EMPTY, Cell, Role, Span, cell, fit

_LEVELS: dict[LogLevel, tuple[str, Role]] = {
    LogLevel.TRACE: ("T", "dim"),
    LogLevel.DEBUG: ("D", "dim"),
    LogLevel.INFO: ("I", "info"),
    LogLevel.WARN: ("W", "warn"),
    LogLevel.ERROR: ("E", "bad"),
    LogLevel.FATAL: ("F", "bad"),
}
_VERBS: dict[str, tuple[str, Role]] = {
    "start": ("started", "good"),
    "die": ("died", "bad"),
    "oom": ("ran out of memory", "bad"),
    "health_status": ("is", "warn"),
    "pause": ("paused", "info"),
    "unpause": ("unpaused", "good"),
    "destroy": ("removed", "warn"),
}
SHORTEST, NAME = 6, 18
"""Bounds of the terminal columns that a container's name takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogStyle:
    """Options of drawing rows."""

    times: bool = True
    columns: bool = False
    """Show fields of JSON and logfmt in columns."""
    sources: Mapping[str, Cell] = field(default_factory=dict)
    """Labels before the lines of each container, by id; empty for a single container."""


def names(containers: Mapping[str, str], project: str = "") -> dict[str, Cell]:
    """Return short, coloured names by container id.

    Args:
        containers: Names by id.
        project: Their common Compose project, which is left out of their names.
    """
    short = {key: name.removeprefix(f"{project}-") if project else name for key, name in containers.items()}
    wide = max(SHORTEST, min(NAME, max(map(len, short.values()), default=0)))
    roles: tuple[Role, ...] = ("source0", "source1", "source2", "source3", "source4", "source5")
    ordered = sorted(short, key=lambda key: (short[key], key))
    return {key: fit(cell(short[key], roles[at % len(roles)]), wide) for at, key in enumerate(ordered)}


def log_row(item: LogItem, clock: Clock, look: LogStyle) -> Cell:
    """Write an item of a log."""
    if isinstance(item, Gap):
        return gap(item)
    stamp = cell(f"{clock.local(item.time_ns):%H:%M:%S} ", "dim") if look.times and item.time_ns else EMPTY
    source = look.sources.get(item.container_id, EMPTY)
    source = (*source, Span(" ")) if source else EMPTY
    if isinstance(item, Annotation):
        said, role = _VERBS.get(item.verb, (item.verb, "warn"))
        if item.detail in {"healthy", "exit 0"}:
            role = "good" if item.detail == "healthy" else "dim"
        what = f"{item.name} {said}{' ' if said == 'is' else ', ' if item.detail else ''}{item.detail}"
        return (*stamp, *source, *cell(f"── {what} ──", role))
    return (*stamp, *source, *_text(item, look))


def _text(item: LogLine, look: LogStyle) -> Cell:
    err: Span = Span("▏", "bad") if item.stream == "stderr" else Span(" ")
    found = record(item.data) if look.columns else None
    level = found.level if found is not None else level_of(item.data[:LONGEST_SHOWN])
    letter, role = _LEVELS[level] if level is not None else (" ", "text")
    head = (Span(letter, role), err)
    if found is None:
        more = item.cut + max(0, len(item.data) - LONGEST_SHOWN)
        rest = cell(f" … {counted(more, 'more byte')}", "dim") if more else EMPTY
        return (*head, *coloured(item.data[:LONGEST_SHOWN]), *rest)
    pieces = [Span(" "), err, *fit(cell(found.level_word[:5].upper(), role), 6), *cell(found.message[:LONGEST_SHOWN])]
    for name, value in list(found.fields.items())[:40]:
        pieces += (Span("  "), *cell(f"{name}=", "dim"), *cell(value[:200], "accent"))
    return tuple(pieces)


def unfolded(item: LogItem, clock: Clock) -> list[Cell]:
    """Return the facts of a line, one per row, for the single-line view, which shows the text itself."""
    if isinstance(item, Gap):
        return [gap(item)]
    facts: list[Cell] = [_fact("time", f"{clock.local(item.time_ns):%Y-%m-%d %H:%M:%S.%f}" if item.time_ns else "")]
    facts.append(_fact("container", item.name))
    if isinstance(item, Annotation):
        return [*facts, _fact("happened", f"{item.verb} {item.detail}".strip())]
    facts.append(_fact("stream", item.stream))
    facts.append(_fact("bytes", f"{len(item.data):,}" + (f", and {item.cut:,} cut off" if item.cut else "")))
    found = record(item.data)
    if found is not None:
        own = (("level", found.level_word), ("its time", found.time), ("message", found.message))
        facts += [EMPTY, *(_fact(name, value) for name, value in (*own, *found.fields.items()) if value)]
    return facts


def _fact(name: str, value: str) -> Cell:
    return (*fit(cell(name, "dim"), 18), Span(" "), *cell(value[:LONGEST_SHOWN]))


def mode(pattern: LogPattern) -> str:
    """Return how a pattern is matched."""
    return f"{'regex' if pattern.regex else 'text'}{', case' if pattern.case else ''}"


def chip(one: Filter) -> Cell:
    """Write a filter."""
    sign = "!" if one.exclude else "&"
    tail = "" if one.tests or not (one.pattern.regex or one.pattern.case) else f" ({mode(one.pattern)})"
    return (*cell(f" {sign}{one.pattern.text}", "warn"), *cell(f"{tail} ", "dim"))


def chips(filters: Filters) -> Cell:
    """Write all filters, in the order they were added."""
    pieces: list[Span] = []
    for one in filters.stack:
        pieces += (Span("▐", "faint"), *chip(one), Span("▌ ", "faint"))
    if filters.before:
        pieces.append(Span(f"±{counted(filters.before, 'line')} around ", "dim"))
    return tuple(pieces)
