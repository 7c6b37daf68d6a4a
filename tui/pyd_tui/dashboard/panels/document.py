"""A container's inspect data as a document to fold, search and copy from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pyd_tui.dashboard.input.keymap import bindings
from pyd_tui.dashboard.panels.searched import SearchableTable
from pyd_tui.dashboard.render.document import CLOSING_SUFFIX, DocumentLine, lay_out, parse, value_at
from pyd_tui.dashboard.render.pieces import Cell, cell


class DocumentPane(SearchableTable):
    """Lines of JSON with a cursor; the first line shows the path under it.

    Args:
        copy: Copies text to the clipboard.
        on_changed: Called when the search or its matches change.
        id: The widget's name.
    """

    BINDINGS = bindings("move", "document")

    def __init__(self, copy: Callable[[str], None], on_changed: Callable[[], None], *, id: str) -> None:
        super().__init__(on_changed, id=id)
        self._copy = copy
        self._body = b""
        self._document: Any = None
        self._lines: dict[str, DocumentLine] = {}
        self._unmasked = False
        self.folded: set[str] = set()
        """Paths that are shown as one line."""

    def set_body(self, body: bytes, *, unmasked: bool) -> None:
        """Show a document; folds stay, and the cursor stays on its path."""
        if body != self._body:
            self._body, self._document = body, parse(body) if body else None
        elif unmasked == self._unmasked:
            return
        self._unmasked = unmasked
        self._lay_out()

    def _lay_out(self) -> None:
        lines = lay_out(self._document, self.folded, unmasked=self._unmasked) if self._body else []
        self._lines = {line.key: line for line in lines}
        self.put({line.key: line.text for line in lines})

    @property
    def heading(self) -> Cell:
        """The path under the cursor."""
        return cell(self.path, "info")

    @property
    def path(self) -> str:
        """The path under the cursor."""
        return (self.key or "").removesuffix(CLOSING_SUFFIX)

    def _go(self, index: int) -> None:
        super()._go(index)
        self.repaint(0)

    # Key actions

    def find(self, text: str) -> None:
        """Unfold everything, and go to the first match from the cursor on."""
        if text and self.folded:
            self.folded.clear()
            self._lay_out()
        super().find(text)

    def action_fold(self) -> None:
        """Fold or unfold the line under the cursor; on a plain value, fold its parent."""
        line = self._lines.get(self.path)
        if line is None:
            return
        key = self.path if line.opens else self._above()
        self.folded ^= {key}
        self._lay_out()
        self.go_to(key)
        self._on_changed()

    def _above(self) -> str:
        path = self.path
        known = [key for key, line in self._lines.items() if line.opens and path.startswith(key) and key != path]
        return max(known, key=len, default=".")

    def action_fold_all(self) -> None:
        """Fold everything but the top level, or unfold everything."""
        top_level = {key for key, line in self._lines.items() if line.opens and key.count(".") == 1 and key != "."}
        self.folded = set() if self.folded else top_level
        self._lay_out()
        self._on_changed()

    def action_copy_path(self) -> None:
        """Copy the path under the cursor, as jq takes it."""
        if self.path:
            self._copy(self.path)

    def action_copy_value(self) -> None:
        """Copy the value under the cursor."""
        if self.path:
            self._copy(value_at(self._document, self.path))
