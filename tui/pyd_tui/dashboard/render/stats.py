"""A container's resource use over time: numbers, curves, and events on the same time line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from pyd_core.humanize import compact_size
from pyd_core.logs.annotation import Annotation
from pyd_core.watch.container_info import ContainerInfo
from pyd_core.watch.stats import Usage
from pyd_tui.dashboard.render.chart import buckets, graph, scale
from pyd_tui.dashboard.render.containers import memory_share, pressure
from pyd_tui.dashboard.render.facts import nothing
from pyd_tui.dashboard.render.figures import SECOND, Clock, percent
from pyd_tui.dashboard.render.pieces import EMPTY, Cell, Role, Span, cell, fit

SPANS: tuple[tuple[str, int], ...] = (
    ("1m", 60),
    ("5m", 300),
    ("15m", 900),
    ("1h", 3600),
    ("6h", 6 * 3600),
    ("24h", 24 * 3600),
)
"""Time ranges of the curves: names and seconds."""

GUTTER_COLUMNS = 9
"""Terminal columns left of the curves, for the value at their top."""

_PERCENTS = (1.0, 5.0, 10.0, 25.0, 50.0, 100.0, 200.0, 400.0, 800.0)
_BYTES = tuple(float(1 << bits) for bits in range(10, 41))
_COUNTS = (5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1000.0)
_MARKS: dict[str, tuple[str, Role]] = {
    "die": ("✗", "bad"),
    "oom": ("!", "bad"),
    "start": ("▲", "good"),
    "here": ("◆", "accent"),
}

_WORDS = {"die": "died", "oom": "out of memory", "start": "started", "here": "the event"}

Get = Callable[[Usage], float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageHistory:
    """A container's resource use over time.

    Attributes:
        samples: Oldest first.
        marks: Deaths, starts and similar events.
        span: Index of the range in `SPANS`.
        processors: Number of processors of the engine's machine; None while unknown.
        recorded: Whether it includes a recorder's history.
        tall: Whether there is room for tall curves.
        at_ns: A moment to highlight, nanoseconds since the epoch; 0 for none.
    """

    samples: Sequence[Usage]
    marks: Sequence[Annotation] = ()
    span: int = 1
    processors: int | None = None
    recorded: bool = False
    tall: bool = True
    at_ns: int = 0


def span_of(seconds: float) -> int:
    """Return the index of the shortest of `SPANS` that reaches so far back."""
    return next((index for index, (_, reach) in enumerate(SPANS) if reach > seconds), len(SPANS) - 1)


@dataclass(frozen=True, slots=True)
class _Curve:
    """A curve: its value, the steps for its top, its number format, role and height."""

    get: Get
    steps: Sequence[float]
    write: Callable[[float], str]
    role: Role
    lines: int
    min_top: float = 0.0
    name: str = ""


@dataclass(slots=True)
class _Window:
    """The displayed time range, in terminal columns."""

    until_ns: int
    span_ns: int
    columns: int
    marks: dict[int, str] = field(default_factory=dict)

    def column(self, time_ns: int) -> int | None:
        """Return the column of a moment; None outside the range."""
        column = (time_ns - self.until_ns + self.span_ns) * self.columns // self.span_ns
        return min(column, self.columns - 1) if 0 <= column <= self.columns else None


def stats(entry: ContainerInfo, usage: Usage | None, history: UsageHistory, clock: Clock, room: int) -> list[Cell]:
    """Return the lines about a container's resource use."""
    if not history.samples:
        return nothing(_no_samples(entry))
    last = history.samples[-1].time_ns
    name, seconds = SPANS[history.span]
    # The engine's clock may differ from this machine's: the latest sample is at the right edge.
    until = last if entry.has_processes and usage is not None else max(last, clock.now())
    window = _Window(until, seconds * SECOND, max(10, room - GUTTER_COLUMNS - 1))
    for mark in history.marks:
        column = window.column(mark.time_ns)
        if column is not None and mark.verb in _MARKS and window.marks.get(column) != "die":
            window.marks[column] = mark.verb
    if history.at_ns and (column := window.column(history.at_ns)) is not None:
        window.marks.setdefault(column, "here")
    now = usage if entry.has_processes else None
    tall_lines, low_lines = (4, 2) if history.tall else (2, 1)
    lines: list[Cell] = [_span_line(name, history)]
    limit = entry.memory_limit or (usage.memory_limit if usage else None) or history.samples[-1].memory_limit
    lines += _cpu(entry, now, history, window, tall_lines)
    lines += _memory(now, history, window, limit, tall_lines)
    rates = (
        ("Network", "net_rx", "net_tx", "in", "out"),
        ("Disk", "block_read", "block_write", "read", "written"),
    )
    for title, first, second, word, other in rates:
        get_first, get_second = _field(first), _field(second)
        if not any(get_first(sample) is not None for sample in history.samples):
            continue
        text = ""
        if now is not None and get_first(now) is not None:
            text = f"{compact_size(get_first(now) or 0)}/s {word}, {compact_size(get_second(now) or 0)}/s {other}"
        curves = [
            _Curve(get_first, _BYTES, _rate, "info", low_lines, name=word),
            _Curve(get_second, _BYTES, _rate, "accent", low_lines, name=other),
        ]
        lines += _block(title, cell(text), curves, history, window)
    pids = cell(f"{now.pids}", "text") if now is not None and now.pids is not None else EMPTY
    if pids and entry.pids_limit:
        pids += cell(f" of at most {entry.pids_limit}", "dim")
    lines += _block("Processes", pids, [_Curve(_field("pids"), _COUNTS, _count, "dim", low_lines)], history, window)
    return [*lines, *_time_line(history, window, clock)]


def _no_samples(entry: ContainerInfo) -> str:
    if entry.has_processes:
        return "measuring"
    if entry.state == "created":
        return "it was never started"
    return "no measurements from its run; `pyd record` keeps them"


def _span_line(name: str, history: UsageHistory) -> Cell:
    pieces: list[Span] = [Span(" Last ", "dim"), Span(name, "accent"), Span("   ")]
    for verb, word in _WORDS.items():
        if verb == "here" and not history.at_ns:
            continue
        mark, role = _MARKS[verb]
        pieces += (Span(f"{mark} ", role), Span(f"{word}  ", "dim"))
    if history.recorded:
        pieces.append(Span(" with recorded history", "dim"))
    return tuple(pieces)


def _cpu(entry: ContainerInfo, now: Usage | None, history: UsageHistory, window: _Window, lines: int) -> list[Cell]:
    summary: Cell = EMPTY
    cores = entry.cpu_limit or history.processors
    if now is not None and now.cpu_percent is not None:
        summary = (*cell(percent(now.cpu_percent)), *cell(" of one core", "dim"))
        if cores:
            share = now.cpu_percent / cores
            limit = f"its limit of {entry.cpu_limit:g}" if entry.cpu_limit else f"all {history.processors}"
            summary += (Span("   "), *cell(percent(share), pressure(share / 100)), *cell(f" of {limit}", "dim"))
        if now.throttled_ratio:
            summary += cell(f"   throttled {percent(100 * now.throttled_ratio)} of the time", "warn")
    curves = [_Curve(_field("cpu_percent"), _PERCENTS, percent, "good", lines)]
    if any(sample.throttled_ratio for sample in history.samples):
        throttled = _Curve(
            lambda sample: _as_percent(sample.throttled_ratio), (100.0,), percent, "warn", 1, 100.0, "limited"
        )
        curves.append(throttled)
    return _block("CPU", summary, curves, history, window)


def _memory(now: Usage | None, history: UsageHistory, window: _Window, limit: int | None, lines: int) -> list[Cell]:
    summary: Cell = EMPTY
    if now is not None and now.memory_bytes is not None:
        share = memory_share(now)
        summary = cell(compact_size(now.memory_bytes), pressure(share))
        summary += cell(f" of {compact_size(limit)}, {percent(100 * (share or 0))}" if limit else ", no limit", "dim")
        if now.memory_peak is not None:
            peak = f"   peak {compact_size(now.memory_peak)} (incl. cache)"
            summary += cell(peak, "dim")
    curve = _Curve(_field("memory_bytes"), _BYTES, compact_size, "accent", lines, float(limit or 0))
    return _block("Memory", summary, [curve], history, window)


def _field(name: str) -> Get:
    return lambda sample: getattr(sample, name)


def _as_percent(ratio: float | None) -> float | None:
    return None if ratio is None else 100 * ratio


def _rate(value: float) -> str:
    return f"{compact_size(value)}/s"


def _count(value: float) -> str:
    return f"{value:.0f}"


def _block(title: str, summary: Cell, curves: Sequence[_Curve], history: UsageHistory, window: _Window) -> list[Cell]:
    """Return a title with the current values, the curves, and below them the time line with its marks."""
    lines: list[Cell] = [EMPTY, (*fit((Span(f" {title}", "title"),), GUTTER_COLUMNS + 3), *summary)]
    for curve in curves:
        values = buckets(
            history.samples, curve.get, until_ns=window.until_ns, span_ns=window.span_ns, count=window.columns
        )
        known = [value for value in values if value is not None]
        top = scale(max([curve.min_top, *known]), curve.steps)
        labels = [curve.write(top), *[""] * (curve.lines - 1)]
        if curve.name:
            labels[-1] = curve.name
        for label, text in zip(labels, graph(values, top, curve.lines), strict=True):
            lines.append(
                (*fit(cell(label, "dim"), GUTTER_COLUMNS - 1, right=True), Span(" "), *_marked(text, curve, window))
            )
    return lines


def _marked(text: str, curve: _Curve, window: _Window) -> Cell:
    """Return a line of a curve, with a stroke at each death."""
    pieces: list[Span] = []
    start = 0
    for column in sorted(key for key, verb in window.marks.items() if verb != "start"):
        pieces += (Span(text[start:column], curve.role), Span("│", _MARKS[window.marks[column]][1]))
        start = column + 1
    pieces.append(Span(text[start:], curve.role))
    return tuple(piece for piece in pieces if piece.text)


def _time_line(history: UsageHistory, window: _Window, clock: Clock) -> list[Cell]:
    """Return the time line, and its events in words."""
    rule: list[Span] = [Span(" " * GUTTER_COLUMNS)]
    start = 0
    for column in sorted(window.marks):
        shape, role = _MARKS[window.marks[column]]
        rule += (Span("─" * (column - start), "faint"), Span(shape, role))
        start = column + 1
    rule.append(Span("─" * (window.columns - start), "faint"))
    begin = clock.local(window.until_ns - window.span_ns)
    middle, end = clock.local(window.until_ns - window.span_ns // 2), clock.local(window.until_ns)
    names = [f"{moment:%H:%M:%S}" for moment in (begin, middle, end)]
    gap = window.columns - sum(map(len, names))
    left = max(1, gap // 2)
    scale_line = (
        Span(f"{' ' * GUTTER_COLUMNS}{names[0]}{' ' * left}{names[1]}{' ' * max(1, gap - left)}{names[2]}", "dim"),
    )
    lines: list[Cell] = [EMPTY, tuple(rule), scale_line, EMPTY]
    for mark in reversed([mark for mark in history.marks if window.column(mark.time_ns) is not None]):
        shape, role = _MARKS.get(mark.verb, ("·", "dim"))
        word = _WORDS.get(mark.verb, mark.verb)
        text = f"{word}{', ' if mark.detail else ''}{mark.detail}"
        when = f"{clock.local(mark.time_ns):%H:%M:%S}"
        lines.append((Span(" " * GUTTER_COLUMNS), Span(f"{shape} ", role), Span(f"{when}  ", "dim"), *cell(text)))
    return lines
