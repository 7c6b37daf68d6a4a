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
    """A container as `pyd ps --json` tells it."""

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
    """Of the last run; None while it runs, and before the first."""
    status: str
    """In the engine's words."""
    ports: list[Port]
    project: str | None
    service: str | None
    labels: dict[str, str]
    size: int | None = None
    """Bytes in the writable layer; only with `--size`."""
    virtual_size: int | None = None
    """Bytes with the image; only with `--size`."""
    cause: str | None = None
    """Why it ended, by the recorder's verdict; None where none was written down."""


def row(summary: ContainerSummary, *, sized: bool = False, cause: str | None = None) -> ContainerRow:
    """Returns what is told of a container, its health and exit code read from the engine's words as the fleet does.

    Args:
        summary: The engine's line.
        sized: Sizes were asked for; the engine leaves those of no bytes out.
        cause: Why it ended, where that was recorded.
    """
    entry = from_summary(summary)
    return ContainerRow(
        id=entry.id,
        name=entry.name,
        image=entry.image,
        command=entry.command,
        created=format_time(entry.created_ns),
        state=entry.state,
        health=entry.health or None,
        exit_code=entry.exit_code,
        status=summary.status,
        ports=summary.ports,
        project=entry.project or None,
        service=entry.service or None,
        labels=summary.labels,
        size=summary.size_rw or 0 if sized else None,
        virtual_size=summary.size_root_fs or 0 if sized else None,
        cause=cause,
    )


def columns(*, size: bool = False, full: bool = False, dead: bool = False) -> list[TableColumn]:
    """The columns of `pyd ps`; `full` is `--no-trunc`, `dead` has the reason of those that ended."""
    shown = [
        TableColumn(title="NAME", cut=24),
        TableColumn(title="IMAGE", cut=12, rank=2),
        TableColumn(title="STATE"),
        TableColumn(title="EXIT", right=True),
        TableColumn(title="AGE", right=True, rank=3),
        TableColumn(title="PORTS", cut=10, rank=4),
        TableColumn(title="PROJECT", cut=8, rank=5),
    ]
    if dead:
        shown.insert(4, TableColumn(title="WHY", cut=14, rank=2))
    if size:
        shown.append(TableColumn(title="SIZE", right=True, rank=1))
    if full:
        shown += (TableColumn(title="COMMAND", rank=6), TableColumn(title="ID", rank=7))
    return shown


def cells(
    summaries: Sequence[ContainerSummary],
    *,
    now: float,
    size: bool = False,
    full: bool = False,
    short_digests: bool = False,
    causes: Mapping[str, str] | None = None,
) -> list[list[Cell]]:
    """Returns the cells under `columns`; `now` in seconds since the epoch, `causes` by id where the dead are listed."""
    shorten = short_digests and not full
    lines = [_cells(summary, now=now, with_size=size, full=full, shorten=shorten) for summary in summaries]
    if causes is not None:
        for line, summary in zip(lines, summaries, strict=True):
            line.insert(4, _why(row(summary, cause=causes.get(summary.id))))
    return lines


def _why(told: ContainerRow) -> Cell:
    """The recorded cause; without one what the code says by itself, which is little and shown as that."""
    if told.cause is not None:
        return Cell(told.cause)
    code = told.exit_code or 0
    if told.state not in {"exited", "dead"} or code < 125:
        return Cell("")
    from pyd_core.triage.codes import explain_code

    return Cell(explain_code(code).title.partition(":")[0], "dim")


def _cells(summary: ContainerSummary, *, now: float, with_size: bool, full: bool, shorten: bool) -> list[Cell]:
    told = row(summary, sized=with_size)
    dead = told.state in {"exited", "dead"}
    shown = [
        Cell(told.name, "dim" if dead else "bold"),
        Cell(_image(told.image) if shorten else told.image),
        _state(told),
        Cell("" if told.exit_code is None else str(told.exit_code), "red" if told.exit_code else "dim"),
        Cell(age(now - summary.created)),
        Cell(ports(told.ports)),
        Cell(told.project or ""),
    ]
    if with_size:
        shown.append(Cell("" if told.size is None else size(told.size)))
    if full:
        shown += (Cell(told.command), Cell(told.id))
    return shown


def _state(told: ContainerRow) -> Cell:
    style = _STYLES.get(told.state, "")
    if told.state == "exited" and told.exit_code:
        style = "red"
    if told.health is None:
        return Cell(told.state, style)
    return Cell(
        f"{told.state} ({told.health})", {"unhealthy": "bold red", "starting": "yellow"}.get(told.health, style)
    )


def _image(image: str) -> str:
    """Shortens a digest, as long as a line and told apart by its beginning."""
    name, at, digest = image.partition("@sha256:")
    if at:
        return f"{name}@{digest[:SHORT_ID]}"
    return image[7 : 7 + SHORT_ID] if image.startswith("sha256:") else image
