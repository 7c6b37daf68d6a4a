"""Tables: plain aligned text for a pipe, fitted and coloured for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyd_core.sanitise import safe
from pyd_tui.console.output import on_terminal, write

if TYPE_CHECKING:
    from rich.table import Table

GAP = 2


WIDE: ContextVar[bool] = ContextVar("WIDE", default=False)
"""Whether tables ignore the width of the terminal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableColumn:
    """A column.

    Attributes:
        title: Its heading.
        right: Align to the right, as for numbers.
        rank: The highest ranks are dropped first when a terminal is too narrow; 0 is always shown.
        cut: The width to which cells may be shortened, ellipsis included, before columns are dropped; 0 is never.
        wrap: Continue a cell that is too long on the next line instead of shortening it.
    """

    title: str
    right: bool = False
    rank: int = 0
    cut: int = 0
    wrap: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    """Text, sanitised on creation, and a rich style for terminals."""

    text: str
    style: str = ""

    def __post_init__(self) -> None:
        """Sanitise the text and put it on one line."""
        object.__setattr__(self, "text", safe(self.text).replace("\t", " "))


Rows = Sequence[Sequence[Cell]]


def write_table(columns: Sequence[TableColumn], rows: Rows, *, hide_empty: bool = True) -> None:
    """Write a table to stdout.

    Args:
        columns: The columns.
        rows: A cell per column each.
        hide_empty: Hide columns without text on a terminal; piped output always has all columns.
    """
    if not on_terminal() or WIDE.get():
        write(plain(columns, rows))
        return
    from pyd_tui.console.rich_console import console

    terminal = console()
    terminal.print(fitted(columns, rows, terminal.width, hide_empty=hide_empty))


def plain(columns: Sequence[TableColumn], rows: Rows) -> str:
    """Return aligned text, without truncation and colours; columns are at least two spaces apart."""
    lines = [[column.title for column in columns], *([cell.text for cell in row] for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(columns))]
    padded = (
        (
            text.rjust(width) if column.right else text.ljust(width)
            for text, width, column in zip(line, widths, columns, strict=True)
        )
        for line in lines
    )
    return "".join(f"{(' ' * GAP).join(line).rstrip()}\n" for line in padded)


def fitted(columns: Sequence[TableColumn], rows: Rows, width: int, *, hide_empty: bool = True) -> Table:
    """Return a rich table of at most `width` terminal columns: cells are cut first, then columns dropped by rank."""
    from rich.cells import cell_len
    from rich.table import Table
    from rich.text import Text

    natural = [
        max([cell_len(column.title), *(cell_len(row[i].text) for row in rows)]) for i, column in enumerate(columns)
    ]
    visible = [i for i in range(len(columns)) if not hide_empty or not rows or any(row[i].text for row in rows)]
    widths = _widths(columns, natural, visible, width)
    table = Table(box=None, padding=(0, GAP, 0, 0), pad_edge=False, header_style="bold dim", show_edge=False)
    for i, fit in widths.items():
        column = columns[i]
        table.add_column(
            column.title,
            justify="right" if column.right else "left",
            no_wrap=not column.wrap,
            overflow="fold" if column.wrap else "ellipsis",
            width=fit,
        )
    for row in rows:
        table.add_row(*(Text(row[i].text, style=row[i].style) for i in widths))
    return table


def _widths(columns: Sequence[TableColumn], natural: Sequence[int], visible: list[int], width: int) -> dict[int, int]:
    """Return the width of each column that stays, by index."""

    def min_width(index: int) -> int:
        return min(natural[index], columns[index].cut or natural[index])

    while sum(map(min_width, visible)) + GAP * (len(visible) - 1) > width:
        dropped = max(visible, key=lambda i: columns[i].rank)
        if columns[dropped].rank == 0:
            break
        visible.remove(dropped)
    widths = {i: natural[i] for i in visible}
    excess = sum(widths.values()) + GAP * (len(visible) - 1) - width
    while excess > 0 and (cuttable := [i for i in visible if widths[i] > min_width(i)]):
        widths[max(cuttable, key=widths.__getitem__)] -= 1
        excess -= 1
    return widths
