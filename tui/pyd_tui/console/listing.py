"""Lists of objects: a table, only ids, JSON, or a template of the docker CLI."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import click

from pyd_core.sanitise import safe
from pyd_tui.console.columns import Cell, TableColumn, write_table
from pyd_tui.console.filters import filter_option
from pyd_tui.console.global_options import State
from pyd_tui.console.output import write, write_json

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])

COLUMN_GAP = 3
"""Spaces between the columns of a template's table, as in the docker CLI."""
MIN_COLUMN_CHARS = 10

format_option = click.option(
    "--format",
    default="",
    metavar="TEMPLATE",
    help="table, json, a Go template, or `table` and a template: 'table {{.Name}}\t{{.ID}}'.",
)
quiet_option = click.option("-q", "--quiet", is_flag=True, help="Print only names or ids.")
full_option = click.option("--no-trunc", "full", is_flag=True, help="Don't truncate output.")


def list_options(command: F) -> F:
    """Add the options that every list of the docker CLI takes."""
    return quiet_option(filter_option(full_option(format_option(command))))


@dataclass(frozen=True, slots=True, kw_only=True)
class TableListing(Generic[T]):
    """The listing of one kind of object.

    Attributes:
        fields: Returns the docker CLI's placeholders of an object; the second argument is `--no-trunc`.
        titles: The headings of placeholders.
        shown: The placeholders that are columns of the table.
        identity: The placeholder that `-q` prints.
        right: The placeholders whose column is aligned to the right.
    """

    fields: Callable[[T, bool], Mapping[str, Any]]
    titles: Mapping[str, str]
    shown: Sequence[str]
    identity: str = "ID"
    right: frozenset[str] = frozenset()

    def write(self, state: State, items: Sequence[T], *, quiet: bool, full: bool, format: str) -> None:
        """Write objects to stdout."""
        if quiet and not format:
            write("".join(f"{safe(str(self.fields(item, full)[self.identity]))}\n" for item in items))
        elif format and format != "table":
            write_filled(format, [dict(sorted(self.fields(item, full).items())) for item in items], self.titles)
        elif state.json:
            write_json(items)
        else:
            columns = [
                TableColumn(title=self.titles[name], rank=index, cut=0 if full else 12, right=name in self.right)
                for index, name in enumerate(self.shown)
            ]
            rows = [self.fields(item, full) for item in items]
            write_table(columns, [[Cell(str(row[name])) for name in self.shown] for row in rows], hide_empty=False)


def write_filled(
    format: str, rows: Sequence[Any], titles: Mapping[str, str], *, absent: frozenset[str] = frozenset()
) -> None:
    """Fill a template in for each row; `json` writes a document per line, `table …` adds headings and columns.

    Args:
        format: The template, as the user typed it.
        rows: The values to fill in.
        titles: The headings, by placeholder.
        absent: The fields that a row may omit.

    Raises:
        InvalidInput: The template is malformed, or names a missing field.
    """
    from pyd_tui.console.template.execute import Template

    source = format.strip()
    tabular = source.startswith("table ")
    if source == "json":
        source = "{{json .}}"
    source = source.removeprefix("table ").replace("\\t", "\t").replace("\\n", "\n")
    template = Template(source, absent=absent)
    lines = [template.fill(row) for row in rows]
    if tabular:
        heading = {name: titles.get(name, name.upper()) for row in rows[:1] or [titles] for name in row}
        heading |= {"Label": lambda name: name.rpartition(".")[2].replace("-", " ").replace("_", " ")}
        lines = _aligned([template.fill(heading), *lines])
    write("".join(f"{_safe_lines(line)}\n" for line in lines))


def _safe_lines(text: str) -> str:
    return "\n".join(map(safe, text.split("\n")))


def _aligned(lines: Sequence[str]) -> list[str]:
    """Align tab-separated cells in columns, all but the last as wide as their widest cell."""
    rows = [line.split("\t") for line in lines]
    widths: dict[int, int] = {}
    for row in rows:
        for index, cell in enumerate(row[:-1]):
            widths[index] = max(widths.get(index, MIN_COLUMN_CHARS), len(cell) + COLUMN_GAP)
    return ["".join(cell.ljust(widths[index]) for index, cell in enumerate(row[:-1])) + row[-1] for row in rows]
