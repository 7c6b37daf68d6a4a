"""A line of tabs: their names, the open one, and its status."""

from __future__ import annotations

from textual.message import Message

from pyd_tui.dashboard.render.pieces import EMPTY, Cell, Span, width
from pyd_tui.dashboard.widgets.line import Line


class Tabs(Line):
    """Tab names on the left, the open tab's status on the right."""

    def __init__(self, names: tuple[str, ...], current: str, *, id: str) -> None:
        super().__init__(id=id)
        self.names = names
        self.current = current
        self._subject: Cell = EMPTY
        self._status: Cell = EMPTY
        self._hits: list[tuple[str, int, int]] = []
        """The shown tabs, with the first terminal column of each and the one after its last."""

    class Clicked(Message):
        """A tab was clicked."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    def clicked(self, x: int) -> None:
        """Ask the screen to open the clicked tab."""
        name = next((name for name, start, end in self._hits if start <= x < end), None)
        if name is not None and name != self.current:
            self.post_message(self.Clicked(name))

    def open(self, name: str) -> None:
        """Mark a tab as open."""
        self.current = name
        self._show()

    def set_status(self, subject: Cell, status: Cell) -> None:
        """Show the open tab's subject and status."""
        self._subject, self._status = subject, status
        self._show()

    def on_mount(self) -> None:
        """Show the names."""
        self._show()

    def _show(self) -> None:
        self.put(self._subject, self._status)
        self.repaint_line()

    def content(self, room: int) -> tuple[Cell, Cell]:
        """Return the names; where not all fit, those around the open one."""
        room -= width(self._status) + 3 * bool(self._status)
        gap = "   " if sum(len(name) + 3 for name in self.names) - 3 <= room else "  "
        current = self.names.index(self.current)
        first, last = 0, len(self.names)
        while first < last - 1 and self._width(first, last, gap) > room:
            if last - 1 > current and (last - 1 - current >= current - first or first == current):
                last -= 1
            else:
                first += 1
        pieces: list[Span] = [Span("… ", "dim")] if first else []
        self._hits = []
        for name in self.names[first:last]:
            if name != self.names[first]:
                pieces.append(Span(gap))
            start = width(pieces)
            pieces.append(Span(name.capitalize(), "title" if name == self.current else "dim"))
            self._hits.append((name, start, width(pieces)))
        if last < len(self.names):
            pieces.append(Span(" …", "dim"))
        return (*pieces, *((Span("   "), *self._subject) if self._subject else EMPTY)), self._status

    def _width(self, first: int, last: int, gap: str) -> int:
        names = self.names[first:last]
        return sum(map(len, names)) + len(gap) * (len(names) - 1) + 2 * (first > 0) + 2 * (last < len(self.names))
