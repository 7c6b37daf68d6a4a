"""`pyd builder history ls`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from pyd_core.humanize import age
from pyd_tui.cli.builds.builder_connection import on_builder
from pyd_tui.console.columns import Cell, TableColumn, write_table
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state
from pyd_tui.console.output import write, write_json

if TYPE_CHECKING:
    from pyd_core.buildkit.client.history import BuildRecord
    from pyd_core.buildkit.rpc.connection import DuplexChannel

COLUMNS = (
    TableColumn(title="BUILD", cut=12),
    TableColumn(title="NAME", cut=20),
    TableColumn(title="STATUS"),
    TableColumn(title="STEPS", rank=2),
    TableColumn(title="CREATED", rank=1),
    TableColumn(title="DURATION", right=True, rank=3),
)
STYLES = {"running": "cyan", "completed": "green", "error": "red", "canceled": "yellow"}


@click.command("ls", cls=PydCommand, examples=(("pyd builder history ls --active", "list running builds"),))
@click.option("--active", is_flag=True, help="List only running builds.")
@click.option("-q", "--quiet", is_flag=True, help="Print only references.")
@pass_state
def command(state: State, /, *, active: bool, quiet: bool) -> None:
    """List builds, the newest first."""
    from pyd_core.buildkit.client.history import list_builds

    async def work(channel: DuplexChannel) -> list[BuildRecord]:
        return await list_builds(channel, active=active)

    records = on_builder(state, work)
    if state.json:
        write_json(records)
    elif quiet:
        write("".join(f"{record.reference}\n" for record in records))
    else:
        now = time.time()
        write_table(COLUMNS, [_row(record, now) for record in records])


def _row(record: BuildRecord, now: float) -> tuple[Cell, ...]:
    from pyd_tui.cli.builds.displays import summary_time

    ended = record.completed if record.completed is not None else now
    cached = f" ({record.cached_steps} cached)" if record.cached_steps else ""
    return (
        Cell(record.reference),
        Cell(record.name),
        Cell(record.status, STYLES.get(record.status, "")),
        Cell(f"{record.completed_steps} of {record.total_steps}{cached}" if record.total_steps else ""),
        Cell(f"{age(now - record.created)} ago" if record.created else ""),
        Cell(summary_time(ended - record.created) if record.created else ""),
    )
