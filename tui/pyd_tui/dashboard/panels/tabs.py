"""A line of tabs: which there are, which one is open, and what it shows."""

from __future__ import annotations

from pyd_tui.dashboard.render.pieces import EMPTY, Cell, Piece
from pyd_tui.dashboard.widgets.line import Line


class Tabs(Line):
    """Names of tabs on the left, the state of the open one on the right."""

    def __init__(self, names: tuple[str, ...], current: str, *, id: str) -> None:
        super().__init__(id=id)
        self.names = names
        self.current = current
        self._subject: Cell = EMPTY
        self._status: Cell = EMPTY

    def open(self, name: str) -> None:
        """Marks another tab as the open one."""
        self.current = name
        self._show()

    def tell(self, subject: Cell, status: Cell) -> None:
        """Says what the open tab is about, and how it does."""
        self._subject, self._status = subject, status
        self._show()

    def on_mount(self) -> None:
        """Shows the names."""
        self._show()

    def _show(self) -> None:
        pieces: list[Piece] = []
        for name in self.names:
            if pieces:
                pieces.append(Piece("   "))
            pieces.append(Piece(name.capitalize(), "title" if name == self.current else "dim"))
        if self._subject:
            pieces += (Piece("   "), *self._subject)
        self.put(tuple(pieces), self._status)
