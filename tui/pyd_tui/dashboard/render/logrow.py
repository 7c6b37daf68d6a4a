"""Rows of the log screen: time, container, level and text, or a structured line's fields in columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pyd_core.client.gap import Gap
from pyd_core.logs.annotation import Annotation
from pyd_core.logs.fields import level_of, parse_fields
from pyd_core.logs.filters import Filter, Filters
from pyd_core.logs.levels import LogLevel
from pyd_core.logs.line import LogLine
from pyd_core.logs.pattern import LogPattern
from pyd_core.logs.store import LogItem
from pyd_tui.dashboard.render.figures import Clock, counted
from pyd_tui.dashboard.render.log_columns import FieldColumns
from pyd_tui.dashboard.render.logs import MAX_DRAWN_BYTES, coloured, gap
from pyd_tui.dashboard.render.pieces import EMPTY, Cell, Role, Span, cell, fit

_LEVELS: dict[LogLevel, tuple[str, Role]] = {
    LogLevel.TRACE: ("T", "dim"),
    LogLevel.DEBUG: ("D", "dim"),
    LogLevel.INFO: ("I", "dim"),
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
MIN_NAME_COLUMNS, MAX_NAME_COLUMNS = 6, 18
"""Bounds of the terminal columns that a container's name takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogStyle:
    """Options of drawing rows."""

    times: bool = True
    columns: bool = True
    """Show fields of JSON and logfmt in columns."""
    layout: FieldColumns = field(default_factory=FieldColumns)
    """The widths of these columns."""
    labels: Mapping[str, Cell] = field(default_factory=dict)
    """Labels before the lines of each container, by id; empty for a single container."""


def source_labels(containers: Mapping[str, str], project: str = "") -> dict[str, Cell]:
    """Return short, coloured names by container id.

    Args:
        containers: Names by id.
        project: Their common Compose project, which is left out of their names.
    """
    short = {key: name.removeprefix(f"{project}-") if project else name for key, name in containers.items()}
    columns = max(MIN_NAME_COLUMNS, min(MAX_NAME_COLUMNS, max(map(len, short.values()), default=0)))
    roles: tuple[Role, ...] = ("source0", "source1", "source2", "source3", "source4", "source5")
    ordered = sorted(short, key=lambda key: (short[key], key))
    return {key: fit(cell(short[key], roles[index % len(roles)]), columns) for index, key in enumerate(ordered)}


def log_row(item: LogItem, clock: Clock, style: LogStyle) -> Cell:
    """Write an item of a log."""
    head, body = log_row_parts(item, clock, style)
    return (*head, *body)


def log_row_parts(item: LogItem, clock: Clock, style: LogStyle) -> tuple[Cell, Cell]:
    """Write an item of a log in two parts: time, container and level, and the text, which can be scrolled sideways."""
    if isinstance(item, Gap):
        return EMPTY, gap(item)
    stamp = cell(f"{clock.local(item.time_ns):%H:%M:%S} ", "dim") if style.times and item.time_ns else EMPTY
    label = style.labels.get(item.container_id, EMPTY)
    label = (*label, Span(" ")) if label else EMPTY
    if isinstance(item, Annotation):
        verb, role = _VERBS.get(item.verb, (item.verb, "warn"))
        if item.detail in {"healthy", "exit 0"}:
            role = "good" if item.detail == "healthy" else "dim"
        text = f"{item.name} {verb}{' ' if verb == 'is' else ', ' if item.detail else ''}{item.detail}"
        return (*stamp, *label), cell(f"── {text} ──", role)
    level, body = _text(item, style)
    return (*stamp, *label, *level), body


def observe_columns(items: Iterable[LogItem], style: LogStyle) -> None:
    """Make room in the columns for lines that are about to be drawn."""
    if style.columns:
        for item in items:
            if isinstance(item, LogLine) and (fields := parse_fields(item.data)) is not None:
                style.layout.observe(fields)


def _text(item: LogLine, style: LogStyle) -> tuple[Cell, Cell]:
    err: Span = Span("▏", "bad") if item.stream == "stderr" else Span(" ")
    fields = parse_fields(item.data) if style.columns else None
    level = fields.level if fields is not None else level_of(item.data[:MAX_DRAWN_BYTES])
    letter, role = _LEVELS[level] if level is not None else (" ", "text")
    if fields is None:
        hidden_bytes = item.cut + max(0, len(item.data) - MAX_DRAWN_BYTES)
        rest = cell(f" … {counted(hidden_bytes, 'more byte')}", "dim") if hidden_bytes else EMPTY
        return (Span(letter, role), err), (*coloured(item.data[:MAX_DRAWN_BYTES]), *rest)
    return (Span(" "), err, *fit(cell(fields.level_word[:5].upper(), role), 6)), style.layout.row(fields)


def line_details(item: LogItem, clock: Clock) -> list[Cell]:
    """Return the facts of a line, one per row, for the single-line view, which shows the text itself."""
    if isinstance(item, Gap):
        return [gap(item)]
    facts: list[Cell] = [_fact("time", f"{clock.local(item.time_ns):%Y-%m-%d %H:%M:%S.%f}" if item.time_ns else "")]
    facts.append(_fact("container", item.name))
    if isinstance(item, Annotation):
        return [*facts, _fact("happened", f"{item.verb} {item.detail}".strip())]
    facts.append(_fact("stream", item.stream))
    facts.append(_fact("bytes", f"{len(item.data):,}" + (f", and {item.cut:,} cut off" if item.cut else "")))
    fields = parse_fields(item.data)
    if fields is not None:
        own = (("level", fields.level_word), ("its time", fields.time), ("message", fields.message))
        facts += [EMPTY, *(_fact(name, value) for name, value in (*own, *fields.fields.items()) if value)]
    return facts


def _fact(name: str, value: str) -> Cell:
    return (*fit(cell(name, "dim"), 18), Span(" "), *cell(value[:MAX_DRAWN_BYTES]))


def pattern_mode(pattern: LogPattern) -> str:
    """Return how a pattern is matched."""
    return f"{'regex' if pattern.regex else 'text'}{', case' if pattern.case_sensitive else ''}"


def chip(filter_: Filter) -> Cell:
    """Write a filter."""
    sign = "!" if filter_.exclude else "&"
    tail = (
        ""
        if filter_.tests or not (filter_.pattern.regex or filter_.pattern.case_sensitive)
        else f" ({pattern_mode(filter_.pattern)})"
    )
    return (*cell(f" {sign}{filter_.pattern.text}", "warn"), *cell(f"{tail} ", "dim"))


def chips(filters: Filters) -> Cell:
    """Write all filters, in the order they were added."""
    pieces: list[Span] = []
    for filter_ in filters.stack:
        pieces += (Span("▐", "faint"), *chip(filter_), Span("▌ ", "faint"))
    if filters.before:
        pieces.append(Span(f"±{counted(filters.before, 'line')} around ", "dim"))
    return tuple(pieces)
