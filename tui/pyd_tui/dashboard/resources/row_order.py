"""The order of a resource view's rows, by any of its columns."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pyd_tui.dashboard.render.layout import LayoutColumn
from pyd_tui.dashboard.resources.base import Row

_NUMBER = re.compile(r"(?P<number>\d+(?:,\d{3})*(?:\.\d+)?)(?P<unit>[BKMGTP]?)(?![\w.])")
_AGE_TEXT = re.compile(r"<?(?P<count>\d+)(?P<unit>[smhdwy])$")
_AGE_UNIT_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800, "y": 31_536_000}
_UNITS = {unit: 1024**power for power, unit in enumerate("BKMGTP")} | {"": 1}

Rank = tuple[int, float, str]


@dataclass(frozen=True, slots=True)
class RowOrder:
    """The column that rows are sorted by, as the user has chosen.

    Attributes:
        column: The column's key; empty for the order in which the view loads its rows.
        reverse: Whether the order is reversed.
    """

    column: str = ""
    reverse: bool = False

    def next(self, columns: Sequence[LayoutColumn]) -> RowOrder:
        """Return the order by the next column; after the last one, the order of loading."""
        keys = ["", *(column.key for column in columns if column.title)]
        return RowOrder(keys[(keys.index(self.column) + 1) % len(keys)] if self.column in keys else "")

    def by(self, column: str) -> RowOrder:
        """Return the order by a column; if it already is, the reverse one."""
        return RowOrder(column, not self.reverse) if column == self.column else RowOrder(column)

    def reversed(self) -> RowOrder:
        """Return the reverse order."""
        return RowOrder(self.column, not self.reverse)

    def description(self, columns: Sequence[LayoutColumn]) -> str:
        """Return the order in words."""
        title = next((column.title.lower() for column in columns if column.key == self.column), "")
        return f"{f'sorted by {title}' if title else 'in the usual order'}{', reversed' if self.reverse else ''}"

    def apply(self, rows: Sequence[Row], columns: Sequence[LayoutColumn]) -> list[Row]:
        """Return the rows in order.

        Numbers, sizes and times start with the largest, ages with the youngest, texts with A. Empty cells come last.
        """
        index = next((index for index, column in enumerate(columns) if column.key == self.column), None)
        if index is None:
            return list(reversed(rows)) if self.reverse else list(rows)
        ranked = [(_rank(row, self.column, index), row) for row in rows]
        filled = sorted((pair for pair in ranked if pair[0][0] < _EMPTY), key=_first, reverse=self.reverse)
        return [row for _, row in filled] + [row for rank, row in ranked if rank[0] == _EMPTY]


_NUMERIC, _TEXT, _EMPTY = range(3)


def _first(pair: tuple[Rank, Row]) -> Rank:
    return pair[0]


def _rank(row: Row, column: str, index: int) -> Rank:
    """Return the rank of a row: its own, else that of its text."""
    text = "".join(piece.text for piece in row.cells[index]).strip()
    if column in row.ranks:
        return _NUMERIC, -row.ranks[column], ""
    if not text:
        return _EMPTY, 0.0, ""
    if age := _AGE_TEXT.match(text):
        return _NUMERIC, float(age["count"]) * _AGE_UNIT_S[age["unit"]], ""
    if number := _NUMBER.match(text):
        return _NUMERIC, -float(number["number"].replace(",", "")) * _UNITS[number["unit"]], text.casefold()
    return _TEXT, 0.0, text.casefold()
