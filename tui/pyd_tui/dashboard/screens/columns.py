"""The dialog that chooses the columns of a view."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from pyd_core.errors import ConfigError
from pyd_tui.dashboard.input.key_bindings import keys_of
from pyd_tui.dashboard.input.keymap import bindings
from pyd_tui.dashboard.render.layout import LayoutColumn, choose_columns
from pyd_tui.dashboard.render.pieces import EMPTY, Cell, Span, cell, fit, width
from pyd_tui.dashboard.screens.dialog import Dialog
from pyd_tui.dashboard.widgets.block import TextBlock

if TYPE_CHECKING:
    from textual import events
    from textual.app import ComposeResult

    from pyd_tui.dashboard.screens.host import ScreenHost

HEAD_LINES = 2
"""Lines above the first column: the title and a blank."""
TAIL_LINES = 2
"""Lines below the last column: a blank and the keys."""
FRAME_LINES = 4
"""Lines of the border, and a blank above and below it."""


class ColumnChooser(Dialog[Sequence[str] | None]):
    """Closes with the names of the chosen columns, or with None.

    Args:
        title: The view's name.
        columns: All columns.
        shown: The names of those that are shown, in order.
    """

    DEFAULT_CSS = """
    ColumnChooser TextBlock { border: round $accent; padding: 0 2; max-width: 95%; background: $background; }
    """
    BINDINGS = bindings("columns")
    SCOPE = "columns"

    def __init__(self, title: str, columns: Sequence[LayoutColumn], shown: Sequence[str]) -> None:
        super().__init__()
        self._title = title
        hidden = [column for column in columns if column.key not in shown]
        by_key = {column.key: column for column in columns}
        self._columns = [*(by_key[key] for key in shown), *hidden]
        self.chosen = set(shown)
        """The names of the columns that are shown."""
        self.index = 0
        self._top = 0

    def compose(self) -> ComposeResult:
        """Lay out a block of lines."""
        yield TextBlock()

    def on_resize(self) -> None:
        """Lay out the columns for the terminal's size."""
        self._show()

    @property
    def _page(self) -> int:
        return max(2, self.app.size.height - HEAD_LINES - TAIL_LINES - FRAME_LINES)

    def _show(self) -> None:
        self._top = min(max(0, self._top, self.index - self._page + 1), max(0, self.index))
        shown = range(self._top, min(len(self._columns), self._top + self._page))
        lines = [self._line(number) for number in shown]
        hints: list[Span] = []
        for key in keys_of(self.app).of("columns"):
            if key.label and key.keys:
                hints += (Span("   " if hints else ""), Span(key.shown, "accent"), Span(f" {key.label}"))
        lines = [cell(self._title, "title"), EMPTY, *lines, EMPTY, tuple(hints)]
        columns = min(max(map(width, lines)), max(20, self.app.size.width * 9 // 10 - 6))
        self.query_one(TextBlock).put([fit(line, columns) for line in lines])

    def _line(self, number: int) -> Cell:
        column, here = self._columns[number], number == self.index
        mark = Span("▌ ", "accent") if here else Span("  ")
        box = Span("[x] ", "good") if column.key in self.chosen else Span("[ ] ", "dim")
        return (mark, box, *cell(column.key, "strong" if here else "text"))

    def action_next(self) -> None:
        """Select the next column."""
        self.index = min(len(self._columns) - 1, self.index + 1)
        self._show()

    def action_previous(self) -> None:
        """Select the previous column."""
        self.index = max(0, self.index - 1)
        self._show()

    def action_move(self, step: int) -> None:
        """Move the selected column towards the left or the right of the table."""
        other = self.index + step
        if 0 <= other < len(self._columns):
            columns = self._columns
            columns[self.index], columns[other] = columns[other], columns[self.index]
            self.index = other
            self._show()

    def action_toggle_column(self) -> None:
        """Show or hide the selected column; one always stays."""
        self.chosen ^= {self._columns[self.index].key}
        if not self.chosen:
            self.chosen = {self._columns[self.index].key}
        self._show()

    def action_accept(self) -> None:
        """Close with the chosen columns."""
        self.dismiss([column.key for column in self._columns if column.key in self.chosen])

    def action_cancel(self) -> None:
        """Close without a change."""
        self.dismiss(None)

    def on_click(self, event: events.Click) -> None:
        """Show or hide the clicked column, or press the clicked key; a click outside closes the dialog."""
        row = self.row_at(event)
        number = self._top + row - HEAD_LINES if row is not None else -1
        if row is not None and HEAD_LINES <= row < HEAD_LINES + self._page and number < len(self._columns):
            self.index = number
            self.action_toggle_column()
        elif not self.query_one(TextBlock).region.contains(event.screen_x, event.screen_y):
            self.dismiss(None)
        else:
            super().on_click(event)


def ask_columns(
    dashboard: ScreenHost, view: str, columns: Sequence[LayoutColumn], show: Callable[[Sequence[str]], None]
) -> None:
    """Let the user choose the columns of a view.

    Args:
        dashboard: The app.
        view: The view.
        columns: All columns that can be chosen.
        show: Shows the columns of these names; none is all.
    """

    def chosen(names: Sequence[str] | None) -> None:
        if names is None:
            return
        natural = tuple(column.key for column in columns)
        names = () if tuple(names) == natural else names
        show(names)
        try:
            dashboard.column_choice.choose(view, names)
        except ConfigError as error:
            dashboard.say(error.message, "warn", error.hint)

    shown = [column.key for column in choose_columns(columns, dashboard.column_choice.of(view))]
    dashboard.push_screen(ColumnChooser(f"Columns of {view}", columns, shown), chosen)
