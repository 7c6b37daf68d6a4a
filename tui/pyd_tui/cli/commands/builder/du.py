"""`pyd builder du`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from pyd_core.humanize import age, size
from pyd_tui.cli.builds.builder_connection import on_builder
from pyd_tui.console.columns import Cell, TableColumn, write_table
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state
from pyd_tui.console.output import write, write_json

if TYPE_CHECKING:
    from pyd_core.buildkit.client.cache_records import CacheRecord
    from pyd_core.buildkit.rpc.connection import DuplexChannel

COLUMNS = (
    TableColumn(title="ID", cut=12),
    TableColumn(title="TYPE", rank=2),
    TableColumn(title="SIZE", right=True),
    TableColumn(title="USED", right=True, rank=3),
    TableColumn(title="LAST USED", rank=1),
    TableColumn(title="RECLAIMABLE", rank=4),
    TableColumn(title="DESCRIPTION", cut=30),
)


@click.command(
    "du", cls=PydCommand, examples=(("pyd builder du --filter type==exec.cachemount", "list cache mounts only"),)
)
@click.option("--filter", "filters", multiple=True, metavar="FILTER", help="Filter records, such as type==regular.")
@pass_state
def command(state: State, /, *, filters: tuple[str, ...]) -> None:
    """Show the disk usage of the build cache."""
    from pyd_core.buildkit.client.cache_records import list_cache

    async def work(channel: DuplexChannel) -> list[CacheRecord]:
        return await list_cache(channel, filters)

    records = on_builder(state, work)
    if state.json:
        write_json(records)
        return
    now = time.time()
    write_table(COLUMNS, [_row(record, now) for record in records])
    total = sum(record.size for record in records)
    reclaimable = sum(record.size for record in records if not record.in_use)
    write(f"total {size(total)}, reclaimable {size(reclaimable)}\n")


def _row(record: CacheRecord, now: float) -> tuple[Cell, ...]:
    return (
        Cell(record.id),
        Cell(record.type),
        Cell(size(record.size)),
        Cell(str(record.usage_count)),
        Cell(f"{age(now - record.last_used)} ago" if record.last_used else ""),
        Cell("no" if record.in_use else "yes"),
        Cell(record.description),
    )
