"""The menu of what can be done to the thing under the cursor, with the keys that do the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyd_core.sanitise import safe
from pyd_tui.dashboard.input.keymap import bindings
from pyd_tui.dashboard.render.pieces import EMPTY, Cell, Span, cell, fit, width
from pyd_tui.dashboard.screens.dialog import Dialog
from pyd_tui.dashboard.widgets.block import TextBlock

if TYPE_CHECKING:
    from textual import events
    from textual.app import ComposeResult

KEY_COLUMNS = 6
HEAD_LINES = 2
"""Lines above the first entry: the title and a blank."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuEntry:
    """An entry of a menu.

    Attributes:
        key: The key as users write it; the menu runs the entry by it too.
        text: What it does.
        run: Does it.
        destructive: Whether it destroys or interrupts something; such an entry is never preselected.
    """

    key: str
    text: str
    run: Callable[[], object]
    destructive: bool = False


class Menu(Dialog[Callable[[], object] | None]):
    """Closes with the chosen action.

    Args:
        title: What the entries act on; hostile.
        entries: The entries; the first that isn't destructive is preselected.
    """

    DEFAULT_CSS = """
    Menu TextBlock { border: round $accent; padding: 0 2; max-width: 95%; max-height: 95%; background: $background; }
    """
    BINDINGS = bindings("menu")

    def __init__(self, title: str, entries: Sequence[MenuEntry]) -> None:
        super().__init__()
        self._title = title
        self.entries = entries
        self.index = next((index for index, entry in enumerate(entries) if not entry.destructive), -1)
        self._top = 0

    def compose(self) -> ComposeResult:
        """Lay out a block of lines."""
        yield TextBlock()

    def on_resize(self) -> None:
        """Lay out the entries for the terminal's size."""
        self._show()

    @property
    def _page(self) -> int:
        room = max(3, self.app.size.height - 4 - HEAD_LINES)
        return room if len(self.entries) <= room else max(2, room - 1)

    def _show(self) -> None:
        room = max(20, self.app.size.width * 9 // 10 - 6)
        page = self._page
        self._top = min(max(0, self._top, self.index - page + 1), max(0, self.index))
        widest = max(len(entry.text) for entry in self.entries) + KEY_COLUMNS + 3
        columns = min(room, max(width(cell(safe(self._title))), widest))
        lines: list[Cell] = [fit(cell(self._title, "title"), columns), EMPTY]
        shown = range(self._top, min(len(self.entries), self._top + page))
        lines += [fit(self._line(number), columns) for number in shown]
        if hidden := len(self.entries) - len(shown):
            lines.append(fit((Span("  "), *cell(f"and {hidden} more", "dim"), Span("   j ↓  k ↑", "accent")), columns))
        self.query_one(TextBlock).put(lines)

    def _line(self, number: int) -> Cell:
        entry, here = self.entries[number], number == self.index
        mark = Span("▌ ", "accent") if here else Span("  ")
        text = cell(entry.text, "bad" if entry.destructive else "strong" if here else "text")
        return (mark, *fit(cell(entry.key, "accent"), KEY_COLUMNS), *text)

    def action_next(self) -> None:
        """Select the next entry."""
        self.index = min(len(self.entries) - 1, self.index + 1)
        self._show()

    def action_previous(self) -> None:
        """Select the previous entry."""
        self.index = max(0, self.index - 1)
        self._show()

    def action_accept(self) -> None:
        """Close with the selected entry."""
        if self.index >= 0:
            self.dismiss(self.entries[self.index].run)

    def action_cancel(self) -> None:
        """Close without an action."""
        self.dismiss(None)

    def on_key(self, event: events.Key) -> None:
        """Choose an entry by its key."""
        from pyd_tui.dashboard.input.key_bindings import shown  # noqa: PLC0415 - next to its only use

        chosen = next((entry for entry in self.entries if shown(event.key) in entry.key.split()), None)
        if chosen is not None:
            event.stop()
            self.dismiss(chosen.run)

    def on_click(self, event: events.Click) -> None:
        """Choose the clicked entry; a click outside closes the menu."""
        block = self.query_one(TextBlock)
        number = event.screen_y - block.content_region.y - HEAD_LINES + self._top
        inside = block.region.contains(event.screen_x, event.screen_y)
        if (
            inside
            and self._top <= number < min(len(self.entries), self._top + self._page)
            and event.screen_y >= block.content_region.y + HEAD_LINES
        ):
            self.dismiss(self.entries[number].run)
        elif not inside:
            self.dismiss(None)


def perform(action: Callable[[], object] | None) -> None:
    """Perform the action that was chosen in a menu, if any was."""
    if action is not None:
        action()
