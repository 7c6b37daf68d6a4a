"""Column layout: the columns that fit a table's width, and how wide they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

GAP = 2
"""Blank terminal columns between two columns of a table."""
MIN_RETURNED_COLUMNS = 12
"""Terminal columns that are enough for a dropped column to return to room that would stay blank."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LayoutColumn:
    """A column of a table.

    Attributes:
        key: Its name in code.
        title: Its heading.
        min_width: Terminal columns below which it is dropped, if its content needs as many.
        max_width: Terminal columns it never exceeds.
        priority: The column with the highest number is dropped first; 0 is never dropped.
        optional: Left out when it is empty in all rows.
        right: Aligned to the right.
        cut_start: Cut at its start rather than its end.
        tight: Separated from the column before it, to which it belongs, by one blank only.
        whole: Shown whole before other columns get any room, up to half of the table.
        if_room: Shown only if room remains once all others have their full width.
    """

    key: str
    title: str
    min_width: int
    max_width: int
    priority: int
    optional: bool = False
    right: bool = False
    cut_start: bool = False
    tight: bool = False
    if_room: bool = False
    whole: bool = False


@dataclass(frozen=True, slots=True)
class PlacedColumn:
    """A positioned column: its `index` among all columns, first terminal column `x`, and `width`."""

    column: LayoutColumn
    index: int
    x: int
    width: int

    @property
    def end(self) -> int:
        """The first terminal column after it."""
        return self.x + self.width


def choose_columns(columns: Sequence[LayoutColumn], names: Sequence[str]) -> tuple[LayoutColumn, ...]:
    """Return the columns of these names in their order; all if no name is known."""
    by_key = {column.key: column for column in columns}
    return tuple(by_key[name] for name in dict.fromkeys(names) if name in by_key) or tuple(columns)


def arrange(columns: Sequence[LayoutColumn], room: int, content_widths: Mapping[str, int]) -> tuple[PlacedColumn, ...]:
    """Choose and size the columns for `room` terminal columns.

    Args:
        columns: All columns, in order.
        room: Available width.
        content_widths: Width of each column's widest content by key; 0 or absent if it is empty.
    """
    candidates = [column for column in columns if content_widths.get(column.key, 0) or not column.optional]
    chosen = [column for column in candidates if not column.if_room]
    min_widths = {column.key: _min_width(column, content_widths, room) for column in chosen}
    while len(chosen) > 1 and sum(min_widths[column.key] for column in chosen) + GAP * (len(chosen) - 1) > room:
        last = max(chosen, key=lambda column: column.priority)
        if last.priority == 0:
            break
        chosen.remove(last)
    dropped = [column for column in candidates if column not in chosen and not column.if_room]
    widths = {column.key: min_widths[column.key] for column in chosen}
    spare = room - sum(widths.values()) - GAP * (len(chosen) - 1)
    for column in sorted(chosen, key=lambda column: column.priority):  # the most important column grows first
        target = min(max(content_widths.get(column.key, 0), min_widths[column.key]), column.max_width)
        extra = min(spare, target - widths[column.key])
        if extra > 0:
            widths[column.key] += extra
            spare -= extra
    for column in sorted(dropped, key=lambda column: column.priority):  # a wide one that went first may have left room
        least = min(min_widths[column.key], max(len(column.title), MIN_RETURNED_COLUMNS))
        if spare >= least + GAP:
            target = min(max(content_widths.get(column.key, 0), min_widths[column.key]), column.max_width)
            widths[column.key] = min(target, spare - GAP)
            spare -= widths[column.key] + GAP
    for column in sorted((column for column in candidates if column.if_room), key=lambda column: column.priority):
        if spare >= column.min_width + GAP:
            widths[column.key] = column.min_width
            spare -= column.min_width + GAP
    chosen = [column for column in columns if column.key in widths]
    return _position(columns, chosen, widths, room)


def _min_width(column: LayoutColumn, content_widths: Mapping[str, int], room: int) -> int:
    """Return the column's minimum width; one with narrower content needs less."""
    content_width = content_widths.get(column.key, column.min_width)
    least = max(column.min_width, min(column.max_width, room // 2)) if column.whole else column.min_width
    return max(min(least, content_width), len(column.title))


def _position(
    columns: Sequence[LayoutColumn], chosen: Sequence[LayoutColumn], widths: Mapping[str, int], room: int
) -> tuple[PlacedColumn, ...]:
    result: list[PlacedColumn] = []
    x = 0
    for column in chosen:
        x -= column.tight and x > 0
        width = min(widths[column.key], max(0, room - x))
        result.append(PlacedColumn(column, columns.index(column), x, width))
        x += width + GAP
    return tuple(result)
