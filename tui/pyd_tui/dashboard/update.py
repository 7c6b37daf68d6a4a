"""Writing to the terminal only what lies within the parts of lines that changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.control import Control
from textual._compositor import ChopsUpdate

if TYPE_CHECKING:
    from rich.console import Console


class TightUpdate(ChopsUpdate):
    """Textual's own writes a line from the widget's left edge to the end of what changed: five times as many bytes.

    It stands on a private class, which is why the major version of Textual is pinned.
    """

    @classmethod
    def of(cls, update: ChopsUpdate) -> TightUpdate:
        """The same update, cut on both sides."""
        return cls(update.chops, update.spans, update.chop_ends)

    def render_segments(self, console: Console) -> str:
        """Returns what to write: for each part of a line, where it goes and what stands there."""
        written: list[str] = []
        for y, first, last in self.spans:
            for end, (x, strip) in zip(self.chop_ends[y], self.chops[y].items(), strict=False):
                left, right = max(x, first), min(end, last)
                if strip is not None and left < right:
                    written.append(Control.move_to(left, y).segment.text)
                    written.append(strip.crop(left - x, right - x).render(console))
        return "".join(written)
