"""One line of a log on the whole screen, however long it is: its facts, its fields, and all of its text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyd_core.logs.line import LogLine
from pyd_core.logs.pattern import plain
from pyd_core.logs.store import LogItem
from pyd_core.sanitise import safe_bytes
from pyd_tui.dashboard.input.keymap import bindings
from pyd_tui.dashboard.panels.footer import Footer
from pyd_tui.dashboard.render.logrow import line_details
from pyd_tui.dashboard.render.pieces import EMPTY, Cell, Span, cell
from pyd_tui.dashboard.screens.base import SearchableScreen
from pyd_tui.dashboard.widgets.line import Line
from pyd_tui.dashboard.widgets.lines import Fixed, LineList
from pyd_tui.dashboard.widgets.prompt import Prompt
from pyd_tui.dashboard.widgets.wrap import wrap_spans

if TYPE_CHECKING:
    from textual.app import ComposeResult

MOST = 2**20
"""Rows of a line that are shown at most: as many as the longest line has on the narrowest screen."""


class LineScreen(SearchableScreen):
    """Everything about one line.

    Args:
        item: The line.
    """

    BINDINGS = bindings("line", "everywhere")

    def __init__(self, item: LogItem) -> None:
        super().__init__()
        self._item = item

    def compose(self) -> ComposeResult:
        """The lines from top to bottom."""
        yield Line(id="title")
        self.lines: LineList[Cell] = LineList(lambda row: row, id="line")
        yield self.lines
        yield Prompt(id="find")
        yield Footer("line")

    def on_mount(self) -> None:
        """Lays the line out."""
        self.query_one("#title", Line).put((Span("One line", "title"),))
        self.lines.ask = self.ask_find
        self.set_focus(self.lines)
        self.call_after_refresh(self._lay_out)

    def on_resize(self) -> None:
        """Lays it out for another width."""
        self.call_after_refresh(self._lay_out)

    @property
    def pane(self) -> LineList[Any]:
        """The line."""
        return self.lines

    def _lay_out(self) -> None:
        room = max(8, self.size.width - 3)
        rows = [
            row
            for fact in line_details(self._item, self.dashboard.clock)
            for row in wrap_spans(fact, room, max_rows=200)
        ]
        if isinstance(self._item, LogLine):
            rows += [EMPTY, (Span("text", "dim"),), *self._text_rows(room)]
        self.lines.show(Fixed(rows))

    def _text_rows(self, room: int) -> list[Cell]:
        text = self._text
        if text.isascii():  # a megabyte at once
            return [(Span(text[at : at + room]),) for at in range(0, len(text), room)]
        return [
            row
            for at in range(0, len(text), 4096)
            for row in wrap_spans(cell(text[at : at + 4096]), room, max_rows=MOST)
        ]

    @property
    def _text(self) -> str:
        data = self._item.data if isinstance(self._item, LogLine) else b""
        return safe_bytes(plain(data)).replace("\t", "    ")

    def action_copy(self) -> None:
        """Copies the text of the line."""
        self.dashboard.errands.copy(self._text)

    def action_back(self) -> None:
        """Ends a search, else goes back to the log."""
        if not self.end_find():
            self.action_quit()
