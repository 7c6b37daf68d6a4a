"""Which columns a table shows in the width it has, and how wide each is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

GAP = 2
"""Blank terminal columns between two columns of a table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LayoutColumn:
    """A column of a table.

    Attributes:
        key: Names it.
        title: Its heading.
        least: Terminal columns below which it is dropped rather than shown, if its content needs as many.
        most: Terminal columns it never grows beyond.
        priority: The column with the highest number is dropped first; 0 is never dropped.
        optional: Left out when no row has anything in it.
        right: Aligned to the right.
        from_start: Loses its beginning when cut.
        close: Stands a single blank away from the column before it, to which it belongs.
        spare: Shown only where there is room when all others have what they want.
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
    """A column at its place: `index` among all columns, first terminal column `x`, `width`."""

    column: LayoutColumn
    index: int
    x: int
    width: int


def arrange(columns: Sequence[LayoutColumn], room: int, natural: Mapping[str, int]) -> tuple[Placed, ...]:
    """Chooses and sizes the columns for `room` terminal columns.

    Args:
        columns: All there are, in order.
        room: What there is to share.
        natural: The width of each column's widest content by key; 0 or nothing where no row has any.
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
    for column in sorted(chosen, key=lambda column: column.priority):  # what matters most has its fill first
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
    """A column whose content is narrower than its least width has no use for the rest."""
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
