"""All that the engine tells of a container, as a document to fold, search and copy from."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pyd_tui.dashboard.keymap import bindings
from pyd_tui.dashboard.render.document import CLOSES, DocumentLine, document, parse, value_at
from pyd_tui.dashboard.render.layout import Column
from pyd_tui.dashboard.render.pieces import EMPTY, Cell, Piece, cell, fit, highlight, slide, width
from pyd_tui.dashboard.theme import palette_of
from pyd_tui.dashboard.widgets.strips import strip
from pyd_tui.dashboard.widgets.table import Table

if TYPE_CHECKING:
    from textual.strip import Strip

COLUMNS = (Column(key="line", title="", least=10, most=1 << 20, priority=0),)


class DocumentPane(Table[str]):
    """Lines of JSON with a cursor; the path under it stands above.

    Args:
        copy: Takes a text to the clipboard.
        told: Called when what it looks for is another.
        id: The widget's name.
    """

    SLIDES = "line"
    BINDINGS = bindings("move", "document")

    def __init__(self, copy: Callable[[str], None], told: Callable[[], None], *, id: str) -> None:
        super().__init__(COLUMNS, self._line_cells, id=id)
        self._copy = copy
        self._told = told
        self._body = b""
        self._found: Any = None
        self._lines: dict[str, DocumentLine] = {}
        self._unmasked = False
        self.folded: set[str] = set()
        """Paths of what is shown as one line."""
        self.query_text = ""
        self.ask: Callable[[], None] = lambda: None
        """Lets the user type what to look for."""
        self.say(("asking the engine", "dim"))

    def look(self, body: bytes, *, unmasked: bool) -> None:
        """Shows a document; what is folded stays so, and the cursor stays on its path."""
        if body != self._body:
            self._body, self._found = body, parse(body) if body else None
        elif unmasked == self._unmasked:
            return
        self._unmasked = unmasked
        self._lay_out()

    def _lay_out(self) -> None:
        lines = document(self._found, self.folded, unmasked=self._unmasked) if self._body else []
        self._lines = {line.key: line for line in lines}
        self.set_rows(list(self._lines), {"line": max((width(line.text) for line in lines), default=0)})

    def _line_cells(self, key: str) -> tuple[Cell, ...]:
        line = self._lines.get(key)
        return (slide(highlight(line.text, self.query_text), self.left) if line is not None else EMPTY,)

    @property
    def path(self) -> str:
        """The path under the cursor."""
        return (self.key or "").removesuffix(CLOSES)

    @property
    def search_status(self) -> Cell:
        """What it looks for, and at which match it is."""
        if not self.query_text:
            return EMPTY
        found = self._matches()
        at = found.index(self.index) + 1 if self.index in found else 0
        return (*cell(f"/{self.query_text}", "warn"), Piece(f" {at} of {len(found)}", "dim"))

    def _matches(self) -> list[int]:
        wanted = self.query_text.casefold()
        texts = ("".join(piece.text for piece in line.text).casefold() for line in self._lines.values())
        return [at for at, text in enumerate(texts) if wanted in text]

    def render_line(self, y: int) -> Strip:
        """The first line is the path under the cursor."""
        if y == 0:
            path = cell(self.path, "info")
            return strip(fit((Piece("   "), *path), self.size.width), palette_of(self.app))
        return super().render_line(y)

    def _go(self, index: int) -> None:
        super()._go(index)
        self.repaint(0)

    # What keys do

    def find(self, text: str) -> None:
        """Opens all that is folded, and goes to the first match from here on."""
        self.query_text = text
        if text and self.folded:
            self.folded.clear()
            self._lay_out()
        self.refresh()
        if text and (found := self._matches()):
            self._go(next((at for at in found if at >= self.index), found[0]))
        self._told()

    def action_find(self) -> None:
        """Asks what to look for."""
        self.ask()

    def action_find_next(self) -> None:
        """Goes to the next match."""
        if found := self._matches() if self.query_text else []:
            self._go(next((at for at in found if at > self.index), found[0]))
            self._told()

    def action_find_previous(self) -> None:
        """Goes to the match before."""
        if found := self._matches() if self.query_text else []:
            self._go(next((at for at in reversed(found) if at < self.index), found[-1]))
            self._told()

    def action_fold(self) -> None:
        """Shows what is under the cursor as one line, or all of it again; anywhere else what the line belongs to."""
        line = self._lines.get(self.path)
        if line is None:
            return
        key = self.path if line.opens else self._above()
        self.folded ^= {key}
        self._lay_out()
        self.go_to(key)
        self._told()

    def _above(self) -> str:
        path = self.path
        known = [key for key, line in self._lines.items() if line.opens and path.startswith(key) and key != path]
        return max(known, key=len, default=".")

    def action_fold_all(self) -> None:
        """Shows only what stands at the top, or everything again."""
        tops = {key for key, line in self._lines.items() if line.opens and key.count(".") == 1 and key != "."}
        self.folded = set() if self.folded else tops
        self._lay_out()
        self._told()

    def action_copy_path(self) -> None:
        """Copies the path under the cursor, as jq takes it."""
        if self.path:
            self._copy(self.path)

    def action_copy_value(self) -> None:
        """Copies what is there."""
        if self.path:
            self._copy(value_at(self._found, self.path))
