"""Columns of structured log lines: level, message, and the fields that lines have in common."""

from __future__ import annotations

from rich.cells import cell_len

from pyd_core.logs.fields import LogFields
from pyd_core.sanitise import safe
from pyd_tui.dashboard.render.pieces import Cell, Span, cell, width

MAX_MESSAGE_COLUMNS = 60
"""Terminal columns to which messages are padded; longer ones push their fields to the right."""
MAX_VALUE_COLUMNS = 28
"""Terminal columns to which a field is padded, with its name."""
MAX_COLUMNS = 12
"""Fields with a column of their own; further ones follow unaligned."""
MAX_FIELDS = 40
MAX_VALUE_CHARACTERS = 200
MAX_MESSAGE_CHARACTERS = 8192


class FieldColumns:
    """The widths of the columns. They only grow, so that rows don't move back and forth while a log is scrolled."""

    def __init__(self) -> None:
        self._message = 0
        self._columns: dict[str, int] = {}

    def observe(self, fields: LogFields) -> None:
        """Make room for a line."""
        self._message = min(MAX_MESSAGE_COLUMNS, max(self._message, _columns(fields.message)))
        for name, value in list(fields.fields.items())[:MAX_FIELDS]:
            known = self._columns.get(name)
            if known is None and len(self._columns) >= MAX_COLUMNS:
                continue
            room = _columns(name) + 1 + _columns(value)
            self._columns[name] = min(MAX_VALUE_COLUMNS, max(known or 0, room))

    def row(self, fields: LogFields) -> Cell:
        """Write a line's message and fields."""
        pieces: list[Span] = []
        self._add(pieces, cell(fields.message[:MAX_MESSAGE_CHARACTERS]), self._message)
        shown = dict(list(fields.fields.items())[:MAX_FIELDS])
        for name, room in self._columns.items():
            value = shown.pop(name, None)
            self._add(pieces, () if value is None else _field(name, value), room + 2)
        for name, value in shown.items():
            pieces += _field(name, value)
        while pieces and not pieces[-1].text.strip():
            pieces.pop()
        return tuple(pieces)

    @staticmethod
    def _add(pieces: list[Span], content: Cell, columns: int) -> None:
        pieces += content
        if (blank := columns - width(content)) > 0:
            pieces.append(Span(" " * blank))


def _field(name: str, value: str) -> Cell:
    return (Span("  "), *cell(f"{name}=", "dim"), *cell(value[:MAX_VALUE_CHARACTERS], "accent"))


def _columns(text: str) -> int:
    text = text[: MAX_MESSAGE_COLUMNS + 1]
    return len(text) if text.isascii() else cell_len(safe(text))
