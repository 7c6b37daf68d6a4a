"""The base of dialogs over a screen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from textual.screen import ModalScreen

from pyd_tui.dashboard.input.key_bindings import keys_of
from pyd_tui.dashboard.render.pieces import Cell, width
from pyd_tui.dashboard.widgets.block import TextBlock

if TYPE_CHECKING:
    from textual import events

    from pyd_tui.dashboard.input.keymap import Key, Scope

T = TypeVar("T")


class Dialog(ModalScreen[T], Generic[T]):
    """Dims the screen below, where there are colours; the keys in its last line take clicks.

    Attributes:
        SCOPE: The scope of these keys.
    """

    DEFAULT_CSS = """
    Dialog { align: center middle; background: $background 60%; }
    Dialog:ansi { background: transparent; }
    """
    SCOPE: ClassVar[Scope | None] = None

    def on_click(self, event: events.Click) -> None:
        """Press the key whose hint was clicked."""
        row = self.row_at(event)
        block = next(iter(self.query(TextBlock)), None)
        if self.SCOPE is None or block is None or row is None or row != len(block.lines) - 1:
            return
        key = hint_at(block.lines[row], event.screen_x - block.content_region.x, keys_of(self.app).of(self.SCOPE))
        if key is not None:
            self.app.simulate_key(key.keys[0])

    def row_at(self, event: events.Click, block_id: str = "") -> int | None:
        """Return the line of a block of text that was clicked.

        Args:
            event: The click.
            block_id: The id of the block; empty is the first one.
        """
        block = next(iter(self.query(f"#{block_id}" if block_id else TextBlock).results(TextBlock)), None)
        if block is None or not block.content_region.contains(event.screen_x, event.screen_y):
            return None
        row = event.screen_y - block.content_region.y
        return row if row < len(block.lines) else None


def hint_at(line: Cell, x: int, keys: Sequence[Key]) -> Key | None:
    """Return the key whose hint, the key and its label, is at a terminal column of a line."""
    by_text = {key.shown: key for key in keys if key.keys and key.label}
    hinted, column = None, 0
    for span in line:
        if span.text in by_text and span.role in {"accent", "bad"}:
            hinted = by_text[span.text]
        elif not span.text.strip():
            hinted = None  # the gap between two hints
        end = column + width((span,))
        if column <= x < end:
            return hinted
        column = end
    return None
