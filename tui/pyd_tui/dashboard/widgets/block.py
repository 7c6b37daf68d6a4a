"""A block of text lines for dialogs and notices, sized to its content."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.widget import Widget

from pyd_tui.dashboard.render.pieces import Cell, fit, width
from pyd_tui.dashboard.theme.themes import palette_of
from pyd_tui.dashboard.widgets.strips import strip

if TYPE_CHECKING:
    from textual.geometry import Size
    from textual.strip import Strip


class TextBlock(Widget):
    """Lines on the background; give it `width: auto; height: auto`."""

    DEFAULT_CSS = "TextBlock { width: auto; height: auto; }"

    def __init__(self, lines: Sequence[Cell] = (), *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.lines = tuple(lines)

    def put(self, lines: Sequence[Cell]) -> None:
        """Replace the lines."""
        if tuple(lines) != self.lines:
            self.lines = tuple(lines)
            self.refresh(layout=True)

    @property
    def text(self) -> str:
        """The text without colours."""
        return "\n".join("".join(piece.text for piece in line) for line in self.lines)

    def get_content_width(self, container: Size, viewport: Size) -> int:
        """Return the width of the widest line, as far as it fits."""
        del viewport
        return min(container.width, max((width(line) for line in self.lines), default=0))

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return the number of lines."""
        del container, viewport, width
        return len(self.lines)

    def render_line(self, y: int) -> Strip:
        """Draw one line of the block."""
        return strip(fit(self.lines[y] if y < len(self.lines) else (), self.size.width), palette_of(self.app))
