"""Lines with a cursor that can be searched and scrolled sideways, shared by documents and process lists."""

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
    """A table of one column with its own heading line.

    Args:
        on_changed: Called when the search or its matches change.
        id: The widget's name.
    """

    SLIDES = "line"

    def __init__(self, on_changed: Callable[[], None], *, id: str) -> None:
        super().__init__(COLUMNS, self._line_cells, id=id)
        self._on_changed = on_changed
        self._texts: Mapping[str, Cell] = {}
        self.query_text = ""
        self.ask: Callable[[], None] = lambda: None
        """Let the user type a search."""
        self.say(("asking the engine", "dim"))

    @property
    def heading(self) -> Cell:
        """The first line."""
        return EMPTY

    def put(self, lines: Mapping[str, Cell]) -> None:
        """Show these lines; the cursor stays on its key."""
        self._texts = lines
        self.set_rows(list(lines), {"line": max(map(width, lines.values()), default=0)})

    def _line_cells(self, key: str) -> tuple[Cell, ...]:
        text = self._texts.get(key)
        return (slide(highlight(text, self.query_text), self.left) if text is not None else EMPTY,)

    def render_line(self, y: int) -> Strip:
        """Draw one line of the screen; the first one is the heading."""
        if y == 0:
            return strip(fit((Span("   "), *self.heading), self.size.width), palette_of(self.app))
        return super().render_line(y)

    @property
    def search_status(self) -> Cell:
        """The search, and the position among its matches."""
        if not self.query_text:
            return EMPTY
        matches = self._matches()
        position = matches.index(self.index) + 1 if self.index in matches else 0
        return (*cell(f"/{self.query_text}", "warn"), Span(f" {position} of {len(matches)}", "dim"))

    def _matches(self) -> list[int]:
        query = self.query_text.casefold()
        texts = ("".join(piece.text for piece in text).casefold() for text in self._texts.values())
        return [index for index, text in enumerate(texts) if query in text]

    def find(self, text: str) -> None:
        """Go to the first match from the cursor on."""
        self.query_text = text
        self.refresh()
        if text and (matches := self._matches()):
            self._go(next((index for index in matches if index >= self.index), matches[0]))
        self._on_changed()

    def action_find(self) -> None:
        """Ask for a search."""
        self.ask()

    def action_find_next(self) -> None:
        """Go to the next match."""
        if matches := self._matches() if self.query_text else []:
            self._go(next((index for index in matches if index > self.index), matches[0]))
            self._on_changed()

    def action_find_previous(self) -> None:
        """Go to the previous match."""
        if matches := self._matches() if self.query_text else []:
            self._go(next((index for index in reversed(matches) if index < self.index), matches[-1]))
            self._on_changed()
