"""The status of a log view: search, position, loss, and whether new lines may come."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyd_core.client.gap import Gap
from pyd_tui.dashboard.logs.window import TAIL
from pyd_tui.dashboard.render.figures import counted
from pyd_tui.dashboard.render.logrow import pattern_mode
from pyd_tui.dashboard.render.pieces import Cell, Span, cell

if TYPE_CHECKING:
    from collections.abc import Collection

    from pyd_tui.dashboard.input.key_bindings import Keys
    from pyd_tui.dashboard.logs.logbook import Liveness, Logbook
    from pyd_tui.dashboard.render.log_days import LogDays

AT_REST: dict[Liveness, Span] = {
    "unstarted": Span("not started yet", "dim"),
    "ended": Span("ended", "dim"),
    "lost": Span("engine not reachable", "warn"),
}
"""The state of a log to which no lines are added."""


def log_status(book: Logbook, cursor: int | None, days: LogDays, *, following: bool, chosen: str, shown: int) -> Cell:
    """Write the status of a log view.

    Args:
        book: Its log.
        cursor: The number of the line under the cursor.
        days: The dates of its lines.
        following: Whether the cursor stays on the newest line.
        chosen: How many lines are selected and marked, in words.
        shown: The number of lines that pass the filters.
    """
    pieces: list[Span] = []
    if (search := book.search) is not None:
        pieces += cell(f"/{search.pattern.text}", "warn")
        mode = f" ({pattern_mode(search.pattern)})" if search.pattern.regex or search.pattern.case_sensitive else ""
        incomplete = "" if search.complete else "+"
        pieces.append(Span(f"{mode} {search.position(cursor) or '-'} of {len(search):,}{incomplete}  ", "dim"))
        if search.complete and not len(search) and book.can_seek(-1) and not (book.seeking or book.note):
            loaded = counted(len(book.store), "line")
            return (*pieces, Span(f"not in the last {loaded} - enter searches older ones", "warn"))
    pieces.append(Span(_position(book, cursor, days, following=following, shown=shown), "dim"))
    if book.store.lost:
        pieces.append(Span(f", {book.store.lost:,} skipped", "warn"))
    if chosen:
        pieces.append(Span(f"  {chosen}", "accent"))
    if book.problem is not None:
        return (*pieces, *cell(f"  {book.problem.message}", "bad"))
    return (*pieces, Span("  "), _state(book, following=following))


def chosen_lines(selected: Collection[int], marked: Collection[int]) -> str:
    """Write how many lines are selected and marked; empty without any."""
    counts = {"selected": len(selected), "marked": len(marked)}
    return ", ".join(f"{count:,} {word}" for word, count in counts.items() if count)


def empty_line(book: Logbook, keys: Keys) -> Cell:
    """Write why there are no lines, and the key that removes the filter that hides them."""
    text: Cell = (Span("  "), Span(book.empty_text, "dim"))
    if not (book.shown.filters.stack and len(book.store)):
        return text
    key = next((key for key in keys.of("log") if key.name == "remove-filter" and key.keys), None)
    return (*text, Span(f"  {key.shown}", "accent"), Span(" removes the last filter", "dim")) if key else text


def _state(book: Logbook, *, following: bool) -> Span:
    if book.seeking or book.note:
        return Span(book.seeking or book.note, "warn")
    if book.window.before_ns:
        return Span("ended", "dim")
    if book.more_below:
        return Span("more below", "warn")
    if (span := AT_REST.get(book.liveness())) is not None:
        return span
    return Span("following", "good") if following else Span("paused", "warn")


def _position(book: Logbook, cursor: int | None, days: LogDays, *, following: bool, shown: int) -> str:
    """Write the place of the cursor among the lines, and whether there are more than those."""
    lines = counted(len(book.store), "line")
    if book.shown.filters:
        return f"{shown:,} of {lines}"
    more = "+" if book.more_below else ""
    last = "last " if book.window is TAIL and not book.at_start and book.caught_up else ""
    if following or cursor is None:
        return f"{last}{lines}{more}"
    item = book.store[cursor]
    total = f"the {last}{lines}" if last else f"{len(book.store):,}"
    dated = not isinstance(item, Gap) and item.time_ns and not days.is_today(item.time_ns)
    date = f"{days.text(item.time_ns)}  " if dated and not isinstance(item, Gap) else ""
    return f"{date}line {cursor - book.store.first + 1:,} of {total}{more}"
