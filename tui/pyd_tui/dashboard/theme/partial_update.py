"""Writing to the terminal only what differs from what stands there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.control import Control
from textual._compositor import ChopsUpdate, LayoutUpdate

if TYPE_CHECKING:
    from rich.console import Console
    from textual.strip import Strip

GAP = 24
"""Cells between two that differ up to which all are written: going there by a sequence of its own is longer."""

_Cell = tuple[str, int]
"""A character, and the hash of its style."""


class Written:
    """What stands on the terminal, as far as it was written here: characters and styles, line by line."""

    def __init__(self) -> None:
        self._lines: dict[int, list[_Cell | None]] = {}

    def forget(self) -> None:
        """Nothing is known any more."""
        self._lines.clear()

    def differing(self, y: int, x: int, strip: Strip) -> Iterator[tuple[int, int]]:
        """Return the parts of a strip that differ from what stands at its place, and take all of it as written.

        Args:
            y: Line of the terminal.
            x: Column of the strip's first cell.
            strip: What is to stand there.

        Returns:
            Where each part begins and ends in the strip, in cells.
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
        return _runs([at for at in range(count) if after[at] != before[at]])


def _cells(strip: Strip) -> list[_Cell | None]:
    """The cells of a strip; none where a character takes another room than one cell: such a strip is written whole."""
    cells: list[_Cell | None] = []
    for segment in strip:
        text = segment.text
        if segment.control or segment.cell_length != len(text):
            return []
        style = hash(segment.style)
        cells += [(character, style) for character in text]
    return cells


def _runs(cells: list[int]) -> Iterator[tuple[int, int]]:
    """Put cells together that are near each other."""
    first = last = cells[0]
    for at in cells:
        if at - last > GAP:
            yield first, last + 1
            first = at
        last = at
    yield first, last + 1


class TightUpdate(ChopsUpdate):
    """Textual's own writes a line from the widget's left edge to the end of what changed, whatever stands there.

    It stands on a private class, which is why the major version of Textual is pinned.
    """

    written: Written

    @classmethod
    def of(cls, update: ChopsUpdate, written: Written) -> TightUpdate:
        """The same update, of what differs from what was written."""
        tight = cls(update.chops, update.spans, update.chop_ends)
        tight.written = written
        return tight

    def render_segments(self, console: Console) -> str:
        """Return what to write: for each part of a line, where it goes and what stands there."""
        sequences: list[str] = []
        for y, first, last in self.spans:
            for end, (x, strip) in zip(self.chop_ends[y], self.chops[y].items(), strict=False):
                left, right = max(x, first), min(end, last)
                if strip is None or left >= right:
                    continue
                part = strip.crop(left - x, right - x)
                for begin, over in self.written.differing(y, left, part):
                    sequences.append(Control.move_to(left + begin, y).segment.text)
                    sequences.append(part.crop(begin, over).render(console))
        return "".join(sequences)


class WholeUpdate(LayoutUpdate):
    """Textual's own, which writes everything, and takes note of it."""

    written: Written

    @classmethod
    def of(cls, update: LayoutUpdate, written: Written) -> WholeUpdate:
        """The same update."""
        whole = cls(update.strips, update.region)
        whole.written = written
        return whole

    def render_segments(self, console: Console) -> str:
        """Return what to write."""
        self.strips = [[*line] for line in self.strips]
        self.written.forget()
        for y, line in enumerate(self.strips, self.region.y):
            x = self.region.x
            for strip in line:
                self.written.differing(y, x, strip)
                x += strip.cell_length
        return super().render_segments(console)
