"""The screen of one log line: its facts, its fields, and its full text."""

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

MAX_ROWS = 2**20
"""The limit of shown rows: the longest line has that many on the narrowest screen."""


class LineScreen(SearchableScreen):
    """Shows everything about one line.

    Args:
        item: The line.
    """

    BINDINGS = bindings("line", "everywhere")

    def __init__(self, item: LogItem) -> None:
        super().__init__()
        self._item = item

    def compose(self) -> ComposeResult:
        """Lay out the lines from top to bottom."""
        yield Line(id="title")
        self.lines: LineList[Cell] = LineList(lambda row: row, id="line")
        yield self.lines
        yield Prompt(id="find")
        yield Footer("line")

    def on_mount(self) -> None:
        """Show the line."""
        self.query_one("#title", Line).put((Span("Log line", "title"),))
        self.lines.ask = self.ask_find
        self.set_focus(self.lines)
        self.call_after_refresh(self._lay_out)

    def on_resize(self) -> None:
        """Lay out the line for another width."""
        self.call_after_refresh(self._lay_out)

    @property
    def pane(self) -> LineList[Any]:
        """The rows of the line."""
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
        if text.isascii():  # fast for a megabyte
            return [(Span(text[offset : offset + room]),) for offset in range(0, len(text), room)]
        return [
            row
            for offset in range(0, len(text), 4096)
            for row in wrap_spans(cell(text[offset : offset + 4096]), room, max_rows=MAX_ROWS)
        ]

    @property
    def _text(self) -> str:
        data = self._item.data if isinstance(self._item, LogLine) else b""
        return safe_bytes(plain(data)).replace("\t", "    ")

    def action_copy(self) -> None:
        """Copy the text of the line."""
        self.dashboard.transfers.copy(self._text)

    def action_back(self) -> None:
        """End a search, else return to the log."""
        if not self.end_find():
            self.action_quit()
