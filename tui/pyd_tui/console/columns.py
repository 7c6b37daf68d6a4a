"""Tables: plain aligned text for a pipe, fitted and coloured for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyd_core.sanitise import safe
from pyd_tui.console.output import on_terminal, write

if TYPE_CHECKING:
    from rich.table import Table

GAP = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class TableColumn:
    """A column.

    Attributes:
        title: Its heading.
        right: Numbers stand to the right.
        rank: Which columns go first when a terminal is too narrow: the highest; 0 always stays.
        cut: Cells may be shortened to this width, ellipsis included, before columns go; 0 keeps them whole.
    """

    title: str
    right: bool = False
    rank: int = 0
    cut: int = 0


@dataclass(frozen=True, slots=True)
class Cell:
    """A text, made safe here, and a rich style for terminals."""

    text: str
    style: str = ""

    def __post_init__(self) -> None:
        """Makes the text safe and one line."""
        object.__setattr__(self, "text", safe(self.text).replace("\t", " "))


Rows = Sequence[Sequence[Cell]]


def write_table(columns: Sequence[TableColumn], rows: Rows, *, hide_empty: bool = True) -> None:
    """Writes a table to stdout.

    Args:
        columns: The columns.
        rows: As many cells each.
        hide_empty: Leave out columns without any text, on a terminal; piped output always has all of them.
    """
    if not on_terminal():
        write(plain(columns, rows))
        return
    from pyd_tui.console.rich_console import console

    drawn = console()
    drawn.print(fitted(columns, rows, drawn.width, hide_empty=hide_empty))


def plain(columns: Sequence[TableColumn], rows: Rows) -> str:
    """Returns aligned text, nothing cut and nothing coloured; columns are two spaces or more apart."""
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
    """Returns a rich table of at most `width` terminal columns: first cells are cut, then columns go by rank."""
    from rich.cells import cell_len
    from rich.table import Table
    from rich.text import Text

    natural = [
        max([cell_len(column.title), *(cell_len(row[i].text) for row in rows)]) for i, column in enumerate(columns)
    ]
    kept = [i for i in range(len(columns)) if not hide_empty or not rows or any(row[i].text for row in rows)]
    widths = _widths(columns, natural, kept, width)
    table = Table(box=None, padding=(0, GAP, 0, 0), pad_edge=False, header_style="bold dim", show_edge=False)
    for i, fit in widths.items():
        column = columns[i]
        table.add_column(
            column.title,
            justify="right" if column.right else "left",
            no_wrap=True,
            overflow="ellipsis",
            width=fit,
        )
    for row in rows:
        table.add_row(*(Text(row[i].text, style=row[i].style) for i in widths))
    return table


def _widths(columns: Sequence[TableColumn], natural: Sequence[int], kept: list[int], width: int) -> dict[int, int]:
    """Chooses the columns that stay, by index, and how wide each is."""

    def least(index: int) -> int:
        return min(natural[index], columns[index].cut or natural[index])

    while sum(map(least, kept)) + GAP * (len(kept) - 1) > width:
        leaving = max(kept, key=lambda i: columns[i].rank)
        if columns[leaving].rank == 0:
            break
        kept.remove(leaving)
    widths = {i: natural[i] for i in kept}
    excess = sum(widths.values()) + GAP * (len(kept) - 1) - width
    while excess > 0 and (cuttable := [i for i in kept if widths[i] > least(i)]):
        widths[max(cuttable, key=widths.__getitem__)] -= 1
        excess -= 1
    return widths
