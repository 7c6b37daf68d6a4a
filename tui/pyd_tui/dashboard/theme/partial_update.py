"""Partial terminal updates: only cells that differ from the screen are written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.control import Control
from textual._compositor import ChopsUpdate, LayoutUpdate

if TYPE_CHECKING:
    from rich.console import Console
    from textual.strip import Strip

MAX_GAP_CELLS = 24
"""Largest gap between differing cells that is written through; moving the cursor takes a longer sequence."""

_Cell = tuple[str, int]
"""A character, and the hash of its style."""


class TerminalContents:
    """The terminal's contents as far as written here: characters and styles, line by line."""

    def __init__(self) -> None:
        self._lines: dict[int, list[_Cell | None]] = {}

    def forget(self) -> None:
        """Forget everything."""
        self._lines.clear()

    def differing(self, y: int, x: int, strip: Strip) -> Iterator[tuple[int, int]]:
        """Return the parts of a strip that differ from the terminal, and record the strip as written.

        Args:
            y: Line of the terminal.
            x: Column of the strip's first cell.
            strip: The new content.

        Returns:
            Start and end of each part in the strip, in cells.
        """
        count = strip.cell_length
        line = self._lines.setdefault(y, [])
        line += [None] * (x + count - len(line))
        before, after = line[x : x + count], _cells(strip)
        line[x : x + count] = after or [None] * count
        if after == before:
            return iter(())
        if not after or len(after) != count:
            return iter([(0, count)])
        return _runs([index for index in range(count) if after[index] != before[index]])


def _cells(strip: Strip) -> list[_Cell | None]:
    """Return a strip's cells; empty if a character isn't one cell wide: such a strip is written in full."""
    cells: list[_Cell | None] = []
    for segment in strip:
        text = segment.text
        if segment.control or segment.cell_length != len(text):
            return []
        style = hash(segment.style)
        cells += [(character, style) for character in text]
    return cells


def _runs(cells: list[int]) -> Iterator[tuple[int, int]]:
    """Group cells that are near each other."""
    first = last = cells[0]
    for cell in cells:
        if cell - last > MAX_GAP_CELLS:
            yield first, last + 1
            first = cell
        last = cell
    yield first, last + 1


class TightUpdate(ChopsUpdate):
    """Writes only cells that differ; Textual's own update writes from the widget's left edge to the last change.

    It extends a private class, which is why the major version of Textual is pinned.
    """

    written: TerminalContents

    @classmethod
    def of(cls, update: ChopsUpdate, written: TerminalContents) -> TightUpdate:
        """Return the same update, restricted to cells that differ."""
        tight = cls(update.chops, update.spans, update.chop_ends)
        tight.written = written
        return tight

    def render_segments(self, console: Console) -> str:
        """Return the sequences to write: for each part of a line, its position and content."""
        sequences: list[str] = []
        for y, first, last in self.spans:
            for end, (x, strip) in zip(self.chop_ends[y], self.chops[y].items(), strict=False):
                left, right = max(x, first), min(end, last)
                if strip is None or left >= right:
                    continue
                part = strip.crop(left - x, right - x)
                for part_start, part_end in self.written.differing(y, left, part):
                    sequences.append(Control.move_to(left + part_start, y).segment.text)
                    sequences.append(part.crop(part_start, part_end).render(console))
        return "".join(sequences)


class FullUpdate(LayoutUpdate):
    """Textual's own update, which writes everything, and records it."""

    written: TerminalContents

    @classmethod
    def of(cls, update: LayoutUpdate, written: TerminalContents) -> FullUpdate:
        """Return the same update."""
        full = cls(update.strips, update.region)
        full.written = written
        return full

    def render_segments(self, console: Console) -> str:
        """Return the sequences to write."""
        self.strips = [[*line] for line in self.strips]
        self.written.forget()
        for y, line in enumerate(self.strips, self.region.y):
            x = self.region.x
            for strip in line:
                self.written.differing(y, x, strip)
                x += strip.cell_length
        return super().render_segments(console)
