"""`pyd history`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pyd_core.errors import NotFound
from pyd_core.sanitise import safe
from pyd_tui.console.columns import Cell, TableColumn, write_table
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state
from pyd_tui.console.output import write, write_json
from pyd_tui.text.curve import curve

if TYPE_CHECKING:
    from pyd_core.watch.history_store import Death, HistoryReader

MEMORY_SPAN_S = 15 * 60
"""The time before a death for which memory usage is shown."""


@click.command(
    "history",
    cls=PydCommand,
    examples=(
        ("pyd history", "list the latest deaths of all containers"),
        ("pyd history web", "list deaths of web, with restart loops and full details of the latest"),
        ("pyd history web --lines", "add its last log lines"),
        ("pyd history --json", "list them for programs"),
    ),
)
@click.argument("name", required=False, metavar="[CONTAINER]")
@click.option(
    "-n", "--last", type=click.IntRange(min=1), default=20, metavar="N", help="Number of deaths to list; 20 by default."
)
@click.option("--lines", is_flag=True, help="Show the last log lines.")
@click.option("--file", "path", type=click.Path(dir_okay=False, path_type=Path), help="History file to read.")
@pass_state
def command(state: State, /, *, name: str | None, last: int, lines: bool, path: Path | None) -> None:
    """Show the deaths that `pyd record` recorded, of removed containers too."""
    from pyd_core.watch.history_path import default_path
    from pyd_core.watch.history_store import HistoryReader

    store = HistoryReader(path or default_path())
    try:
        deaths = store.deaths(name, limit=last)
        if name is not None and not deaths:
            raise NotFound(f"no death of {safe(name)} was recorded", reference="no-such-death")
        if state.json:
            write_json(deaths)
            return
        _write_table(deaths)
        if name is not None:
            _write_details(store, deaths, lines=lines)
    finally:
        store.close()


def _write_table(deaths: list[Death]) -> None:
    from pyd_core.humanize import duration, size
    from pyd_core.model.base import format_time

    columns = [
        TableColumn(title="DIED"),
        TableColumn(title="NAME"),
        TableColumn(title="CODE", right=True),
        TableColumn(title="LIVED", right=True),
        TableColumn(title="PEAK", right=True),
        TableColumn(title="CAUSE"),
        TableColumn(title="SUMMARY", cut=True),
    ]
    rows = [
        [
            Cell(format_time(death.ended_ns)[:19].replace("T", " ")),
            Cell(death.name),
            Cell("" if death.code is None else str(death.code)),
            Cell("" if death.seconds is None else duration(death.seconds)),
            Cell("" if death.memory_peak is None else size(death.memory_peak)),
            Cell(death.verdict.cause),
            Cell(death.verdict.summary),
        ]
        for death in deaths
    ]
    write_table(columns, rows)


def _write_details(store: HistoryReader, deaths: list[Death], *, lines: bool) -> None:
    from pyd_core.triage.text_report import describe
    from pyd_core.watch.restart_loops import describe_loop

    newest = deaths[0]
    loop = describe_loop(deaths)
    if loop:
        write(f"\n{loop}\n")
    write(f"\n{describe(newest.verdict)}\n")
    ended = newest.ended_ns // 10**9
    memory = [point.memory for point in store.points(newest.container, since=ended - MEMORY_SPAN_S, until=ended)]
    bars = curve([kib for kib in memory if kib is not None])
    if bars:
        write(f"memory before it died:\n  {bars}\n")
    if lines:
        write("last lines:\n" + "".join(f"  {safe(text)}\n" for text in newest.lines))
