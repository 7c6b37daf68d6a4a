"""Lines with a cursor that are searched and moved sideways: what a document and a list of processes share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from pyd_tui.dashboard.render.layout import LayoutColumn
from pyd_tui.dashboard.render.pieces import EMPTY, Cell, Span, cell, fit, highlight, slide, width
from pyd_tui.dashboard.theme.themes import palette_of
from pyd_tui.dashboard.widgets.strips import strip
from pyd_tui.dashboard.widgets.table import Table

if TYPE_CHECKING:
    from textual.strip import Strip

COLUMNS = (LayoutColumn(key="line", title="", min_width=10, max_width=1 << 20, priority=0),)


class SearchableTable(Table[str]):
    """A table of one column, with a heading of its own above it.

    Args:
        told: Called when what it looks for is another.
        id: The widget's name.
    """

    SLIDES = "line"

    def __init__(self, told: Callable[[], None], *, id: str) -> None:
        super().__init__(COLUMNS, self._line_cells, id=id)
        self._told = told
        self._texts: Mapping[str, Cell] = {}
        self.query_text = ""
        self.ask: Callable[[], None] = lambda: None
        """Lets the user type what to look for."""
        self.say(("asking the engine", "dim"))

    @property
    def heading(self) -> Cell:
        """What stands in the first line."""
        return EMPTY

    def put(self, lines: Mapping[str, Cell]) -> None:
        """Show these lines; the cursor stays on its own, by its key."""
        self._texts = lines
        self.set_rows(list(lines), {"line": max(map(width, lines.values()), default=0)})

    def _line_cells(self, key: str) -> tuple[Cell, ...]:
        text = self._texts.get(key)
        return (slide(highlight(text, self.query_text), self.left) if text is not None else EMPTY,)

    def render_line(self, y: int) -> Strip:
        """The first line is the heading."""
        if y == 0:
            return strip(fit((Span("   "), *self.heading), self.size.width), palette_of(self.app))
        return super().render_line(y)

    @property
    def search_status(self) -> Cell:
        """What it looks for, and at which match it is."""
        if not self.query_text:
            return EMPTY
        found = self._matches()
        at = found.index(self.index) + 1 if self.index in found else 0
        return (*cell(f"/{self.query_text}", "warn"), Span(f" {at} of {len(found)}", "dim"))

    def _matches(self) -> list[int]:
        wanted = self.query_text.casefold()
        texts = ("".join(piece.text for piece in text).casefold() for text in self._texts.values())
        return [at for at, text in enumerate(texts) if wanted in text]

    def find(self, text: str) -> None:
        """Go to the first match from here on."""
        self.query_text = text
        self.refresh()
        if text and (found := self._matches()):
            self._go(next((at for at in found if at >= self.index), found[0]))
        self._told()

    def action_find(self) -> None:
        """Ask what to look for."""
        self.ask()

    def action_find_next(self) -> None:
        """Go to the next match."""
        if found := self._matches() if self.query_text else []:
            self._go(next((at for at in found if at > self.index), found[0]))
            self._told()

    def action_find_previous(self) -> None:
        """Go to the match before."""
        if found := self._matches() if self.query_text else []:
            self._go(next((at for at in reversed(found) if at < self.index), found[-1]))
            self._told()
