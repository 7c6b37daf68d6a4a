"""Resource use as a table and as records."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from pyd_core.humanize import size
from pyd_core.model.base import format_time
from pyd_core.watch.container_info import ContainerInfo
from pyd_core.watch.stats import Usage
from pyd_tui.console.columns import Cell, TableColumn

Line = tuple[ContainerInfo, Usage | None]

COLUMNS = (
    TableColumn(title="NAME", cut=24),
    TableColumn(title="CPU %", right=True),
    TableColumn(title="THROTTLED", right=True, rank=5),
    TableColumn(title="MEMORY", right=True),
    TableColumn(title="LIMIT", right=True, rank=1),
    TableColumn(title="PEAK", right=True, rank=6),
    TableColumn(title="NET IN/s", right=True, rank=2),
    TableColumn(title="NET OUT/s", right=True, rank=2),
    TableColumn(title="READ/s", right=True, rank=4),
    TableColumn(title="WRITE/s", right=True, rank=4),
    TableColumn(title="PIDS", right=True, rank=3),
)

BUSY = 80.0
"""Percent of a CPU, or of the memory limit, above which a number is coloured."""


class UsageRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A container's resource usage in `pyd stats --json`; null is unknown, or no limit."""

    id: str
    name: str
    state: str
    time: str | None
    """RFC 3339 in UTC."""
    cpu_percent: float | None
    """Percent of one CPU."""
    throttled_ratio: float | None
    memory_bytes: int | None
    memory_limit_bytes: int | None
    memory_peak_bytes: int | None
    pids: int | None
    net_rx_bytes_per_second: float | None
    net_tx_bytes_per_second: float | None
    block_read_bytes_per_second: float | None
    block_write_bytes_per_second: float | None


def record(line: Line) -> UsageRecord:
    """Return the record of a container."""
    container, measured = line
    usage = measured or Usage(time_ns=0)
    return UsageRecord(
        id=container.id,
        name=container.name,
        state=container.state,
        time=format_time(usage.time_ns) if measured else None,
        cpu_percent=_rounded(usage.cpu_percent),
        throttled_ratio=usage.throttled_ratio,
        memory_bytes=usage.memory_bytes,
        memory_limit_bytes=usage.memory_limit,
        memory_peak_bytes=usage.memory_peak,
        pids=usage.pids,
        net_rx_bytes_per_second=_rounded(usage.net_rx),
        net_tx_bytes_per_second=_rounded(usage.net_tx),
        block_read_bytes_per_second=_rounded(usage.block_read),
        block_write_bytes_per_second=_rounded(usage.block_write),
    )


TITLES = {
    "Container": "CONTAINER",
    "Name": "NAME",
    "ID": "CONTAINER ID",
    "CPUPerc": "CPU %",
    "MemUsage": "MEM USAGE / LIMIT",
    "MemPerc": "MEM %",
    "NetIO": "NET I/O",
    "BlockIO": "BLOCK I/O",
    "PIDs": "PIDS",
}
"""Headings of the docker CLI's placeholders."""


def fields(line: Line) -> dict[str, str]:
    """Return the fields that templates of the docker CLI can name; network and disk are in bytes per second here."""
    container, measured = line
    usage = measured or Usage(time_ns=0)
    memory, limit = usage.memory_bytes, usage.memory_limit
    rates = [f"{_size(rate)}/s" if rate is not None else "--" for rate in _rates(usage)]
    return {
        "Container": container.id[:12],
        "Name": container.name,
        "ID": container.id[:12],
        "CPUPerc": "--" if usage.cpu_percent is None else f"{usage.cpu_percent:.2f}%",
        "MemUsage": f"{_size(memory) or '--'} / {_size(limit) or '--'}",
        "MemPerc": f"{memory / limit * 100:.2f}%" if memory is not None and limit else "--",
        "NetIO": f"{rates[0]} / {rates[1]}",
        "BlockIO": f"{rates[2]} / {rates[3]}",
        "PIDs": "--" if usage.pids is None else str(usage.pids),
    }


def ordered(lines: Iterable[Line], *, by: str) -> list[Line]:
    """Sort by `name`, or by `cpu` or `memory`, largest first."""

    def key(line: Line) -> tuple[float, str]:
        container, usage = line
        numbers = {
            "cpu": usage.cpu_percent if usage else None,
            "memory": usage.memory_bytes if usage else None,
        }
        return -(numbers.get(by) or 0), container.name

    return sorted(lines, key=key)


def cells(lines: Sequence[Line]) -> list[list[Cell]]:
    """Return the cells under `COLUMNS`."""
    return [_cells(container, usage) for container, usage in lines]


def _cells(container: ContainerInfo, usage: Usage | None) -> list[Cell]:
    if usage is None:
        return [
            Cell(container.name, "dim"),
            Cell("" if container.has_processes else container.state, "dim"),
            *(Cell("") for _ in COLUMNS[2:]),
        ]
    memory, limit = usage.memory_bytes, usage.memory_limit
    near = memory is not None and limit and memory / limit * 100 >= BUSY
    cpu = usage.cpu_percent
    return [
        Cell(container.name, "bold"),
        Cell("" if cpu is None else f"{cpu:.1f}", "yellow" if cpu is not None and cpu >= BUSY else ""),
        Cell(f"{usage.throttled_ratio * 100:.0f} %" if usage.throttled_ratio else "", "red"),
        Cell(_size(memory), "red" if near else ""),
        Cell(_size(limit)),
        Cell(_size(usage.memory_peak)),
        *(Cell(_size(rate), "" if rate else "dim") for rate in _rates(usage)),
        Cell("" if usage.pids is None else str(usage.pids)),
    ]


def _size(count: float | None) -> str:
    return "" if count is None else size(count)


def _rates(usage: Usage) -> tuple[float | None, ...]:
    return usage.net_rx, usage.net_tx, usage.block_read, usage.block_write


def _rounded(number: float | None) -> float | None:
    return None if number is None else round(number, 2)
