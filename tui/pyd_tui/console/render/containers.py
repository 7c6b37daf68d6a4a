"""Containers as lines of `pyd ps`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from pyd_core.humanize import age, size
from pyd_core.model.base import format_time
from pyd_core.model.container import ContainerSummary, Port
from pyd_core.watch.container_info import from_summary
from pyd_tui.console.columns import Cell, TableColumn
from pyd_tui.text.ports import ports

_STYLES = {
    "running": "green",
    "paused": "yellow",
    "restarting": "yellow",
    "created": "cyan",
    "removing": "dim",
    "exited": "dim",
    "dead": "red",
}

SHORT_ID = 12


class ContainerRow(msgspec.Struct, frozen=True, kw_only=True):
    """A container in `pyd ps --json`."""

    id: str
    name: str
    image: str
    command: str
    created: str
    """RFC 3339 in UTC."""
    state: str
    health: str | None
    """`starting`, `healthy` or `unhealthy`; None without a health check."""
    exit_code: int | None
    """The exit code of the last run; None while it runs, and before the first run."""
    status: str
    """The engine's status text."""
    ports: list[Port]
    project: str | None
    service: str | None
    labels: dict[str, str]
    size: int | None = None
    """Bytes in the writable layer; only with `--size`."""
    virtual_size: int | None = None
    """Bytes with the image; only with `--size`."""
    cause: str | None = None
    """The cause of the recorded verdict; None without one."""


def row(summary: ContainerSummary, *, sized: bool = False, cause: str | None = None) -> ContainerRow:
    """Return a container's row, with health and exit code parsed from the engine's status text.

    Args:
        summary: The engine's summary.
        sized: Include sizes; the engine omits sizes of zero bytes.
        cause: The recorded cause of its death.
    """
    info = from_summary(summary)
    return ContainerRow(
        id=info.id,
        name=info.name,
        image=info.image,
        command=info.command,
        created=format_time(info.created_ns),
        state=info.state,
        health=info.health or None,
        exit_code=info.exit_code,
        status=summary.status,
        ports=summary.ports,
        project=info.project or None,
        service=info.service or None,
        labels=summary.labels,
        size=summary.size_rw or 0 if sized else None,
        virtual_size=summary.size_root_fs or 0 if sized else None,
        cause=cause,
    )


def columns(*, size: bool = False, full: bool = False, dead: bool = False) -> list[TableColumn]:
    """Return the columns of `pyd ps`; `full` is `--no-trunc`, `dead` adds the cause of exited containers."""
    selected = [
        TableColumn(title="NAME", cut=24),
        TableColumn(title="IMAGE", cut=12, rank=2),
        TableColumn(title="STATE"),
        TableColumn(title="EXIT", right=True),
        TableColumn(title="AGE", right=True, rank=3),
        TableColumn(title="PORTS", cut=10, rank=4),
        TableColumn(title="PROJECT", cut=8, rank=5),
    ]
    if dead:
        selected.insert(4, TableColumn(title="WHY", cut=14, rank=2))
    if size:
        selected.append(TableColumn(title="SIZE", right=True, rank=1))
    if full:
        selected += (TableColumn(title="COMMAND", rank=6), TableColumn(title="ID", rank=7))
    return selected


def cells(
    summaries: Sequence[ContainerSummary],
    *,
    now: float,
    size: bool = False,
    full: bool = False,
    short_digests: bool = False,
    causes: Mapping[str, str] | None = None,
) -> list[list[Cell]]:
    """Return the cells under `columns`; `now` in seconds since the epoch, `causes` by id if exited ones are listed."""
    shorten = short_digests and not full
    lines = [_cells(summary, now=now, with_size=size, full=full, shorten=shorten) for summary in summaries]
    if causes is not None:
        for line, summary in zip(lines, summaries, strict=True):
            line.insert(4, _why(row(summary, cause=causes.get(summary.id))))
    return lines


def _why(record: ContainerRow) -> Cell:
    """Return the recorded cause, or dimmed the meaning of the exit code, which says little."""
    if record.cause is not None:
        return Cell(record.cause)
    code = record.exit_code or 0
    if record.state not in {"exited", "dead"} or code < 125:
        return Cell("")
    from pyd_core.triage.codes import explain_code

    return Cell(explain_code(code).title.partition(":")[0], "dim")


def _cells(summary: ContainerSummary, *, now: float, with_size: bool, full: bool, shorten: bool) -> list[Cell]:
    record = row(summary, sized=with_size)
    dead = record.state in {"exited", "dead"}
    line = [
        Cell(record.name, "dim" if dead else "bold"),
        Cell(_image(record.image) if shorten else record.image),
        _state(record),
        Cell("" if record.exit_code is None else str(record.exit_code), "red" if record.exit_code else "dim"),
        Cell(age(now - summary.created)),
        Cell(ports(record.ports)),
        Cell(record.project or ""),
    ]
    if with_size:
        line.append(Cell("" if record.size is None else size(record.size)))
    if full:
        line += (Cell(record.command), Cell(record.id))
    return line


def _state(record: ContainerRow) -> Cell:
    style = _STYLES.get(record.state, "")
    if record.state == "exited" and record.exit_code:
        style = "red"
    if record.health is None:
        return Cell(record.state, style)
    return Cell(
        f"{record.state} ({record.health})", {"unhealthy": "bold red", "starting": "yellow"}.get(record.health, style)
    )


def _image(image: str) -> str:
    """Shorten a digest to a prefix, which is enough to distinguish images."""
    name, separator, digest = image.partition("@sha256:")
    if separator:
        return f"{name}@{digest[:SHORT_ID]}"
    return image[7 : 7 + SHORT_ID] if image.startswith("sha256:") else image
