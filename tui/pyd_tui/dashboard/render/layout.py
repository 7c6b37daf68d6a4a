"""Column layout: the columns that fit a table's width, and how wide they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

GAP = 2
"""Blank terminal columns between two columns of a table."""


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
        if_room: Shown only if room remains once all others have their full width.
    """

    key: str
    title: str
    least: int
    most: int
    priority: int
    optional: bool = False
    right: bool = False
    from_start: bool = False
    close: bool = False
    spare: bool = False


@dataclass(frozen=True, slots=True)
class Placed:
    """A positioned column: its `index` among all columns, first terminal column `x`, and `width`."""

    column: LayoutColumn
    index: int
    x: int
    width: int


def arrange(columns: Sequence[LayoutColumn], room: int, natural: Mapping[str, int]) -> tuple[Placed, ...]:
    """Choose and size the columns for `room` terminal columns.

    Args:
        columns: All columns, in order.
        room: Available width.
        content_widths: Width of each column's widest content by key; 0 or absent if it is empty.
    """
    wanted = [column for column in columns if natural.get(column.key, 0) or not column.optional]
    chosen = [column for column in wanted if not column.spare]
    least = {column.key: _least(column, natural) for column in chosen}
    while len(chosen) > 1 and sum(least[column.key] for column in chosen) + GAP * (len(chosen) - 1) > room:
        last = max(chosen, key=lambda column: column.priority)
        if last.priority == 0:
            break
        chosen.remove(last)
    widths = {column.key: least[column.key] for column in chosen}
    spare = room - sum(widths.values()) - GAP * (len(chosen) - 1)
    for column in sorted(chosen, key=lambda column: column.priority):  # the most important column grows first
        wish = min(max(natural.get(column.key, 0), least[column.key]), column.most)
        extra = min(spare, wish - widths[column.key])
        if extra > 0:
            widths[column.key] += extra
            spare -= extra
    for column in sorted((column for column in wanted if column.spare), key=lambda column: column.priority):
        if spare >= column.least + GAP:
            widths[column.key] = column.least
            spare -= column.least + GAP
    chosen = [column for column in columns if column.key in widths]
    return _place(columns, chosen, widths, room)


def _least(column: LayoutColumn, natural: Mapping[str, int]) -> int:
    """Return the column's minimum width; one with narrower content needs less."""
    wanted = natural.get(column.key, column.least)
    return max(min(column.least, wanted), len(column.title))


def _place(
    columns: Sequence[LayoutColumn], chosen: Sequence[LayoutColumn], widths: Mapping[str, int], room: int
) -> tuple[Placed, ...]:
    placed: list[Placed] = []
    x = 0
    for column in chosen:
        x -= column.close and x > 0
        width = min(widths[column.key], max(0, room - x))
        placed.append(Placed(column, columns.index(column), x, width))
        x += width + GAP
    return tuple(placed)
