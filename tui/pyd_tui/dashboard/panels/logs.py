"""The log of one container, following."""

from __future__ import annotations

from pyd_core.fleet.entry import Entry
from pyd_tui.dashboard.render.figures import Clock
from pyd_tui.dashboard.render.logs import log_line
from pyd_tui.dashboard.render.pieces import EMPTY, Cell, Piece, cell
from pyd_tui.dashboard.tail import LogItem
from pyd_tui.dashboard.widgets.lines import Lines

FRAME = 0.1
"""Seconds between two paints of a log that never stops: faster than that nobody reads, and every paint costs bytes."""


class Logs(Lines[LogItem]):
    """Shows a `Tail`'s ring."""

    can_follow = True

    def __init__(self, clock: Clock, *, id: str) -> None:
        super().__init__(self._line, following=True, id=id)
        self._clock = clock

    def _line(self, item: LogItem) -> Cell:
        return log_line(item, self._clock, times=self.times)


def subject(entry: Entry | None) -> Cell:
    """Names the container a pane is about."""
    return cell(entry.name, "strong") if entry is not None else EMPTY


def status(view: Lines[LogItem], dropped: int) -> Cell:
    """Says how much there is, what had to go, and whether it follows."""
    pieces: list[Piece] = []
    if view.query_text:
        at, total = view.matches()
        pieces += (*cell(f"/{view.query_text}", "warn"), Piece(f" {at} of {total}  ", "dim"))
    pieces.append(Piece(f"{view.count:,} lines", "dim"))
    if dropped:
        pieces.append(Piece(f", {dropped:,} older ones dropped", "warn"))
    pieces.append(Piece("  following", "good") if view.following else Piece("  holding still", "warn"))
    return tuple(pieces)
