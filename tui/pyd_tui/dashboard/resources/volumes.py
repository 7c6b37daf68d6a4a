"""The view of volumes: their sizes and the containers that use them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from pyd_core.client.provider import Provider, engine_of
from pyd_core.humanize import compact_size
from pyd_core.model.base import parse_time
from pyd_core.model.container import COMPOSE_PROJECT, ContainerSummary
from pyd_core.model.volume import Volume
from pyd_tui.dashboard.render.facts import block, fact
from pyd_tui.dashboard.render.figures import Clock, full_moment, moment
from pyd_tui.dashboard.render.layout import LayoutColumn
from pyd_tui.dashboard.render.pieces import Cell, Span, cell
from pyd_tui.dashboard.resources.base import LoadContext, PruneCandidate, ResourceView, Row, by_type
from pyd_tui.dashboard.resources.users import in_order, names, users, volumes_of

if TYPE_CHECKING:
    from pyd_tui.dashboard.resources.volume_access import VolumeAccess

COLUMNS = (
    LayoutColumn(key="name", title="NAME", min_width=20, max_width=64, priority=0),
    LayoutColumn(key="driver", title="DRIVER", min_width=6, max_width=12, priority=4),
    LayoutColumn(key="size", title="SIZE", min_width=5, max_width=5, priority=1, optional=True, right=True),
    LayoutColumn(key="created", title="CREATED", min_width=8, max_width=8, priority=5, right=True),
    LayoutColumn(key="project", title="PROJECT", min_width=8, max_width=20, priority=6, optional=True),
    LayoutColumn(key="users", title="USED BY", min_width=12, max_width=80, priority=2),
)
ANONYMOUS = "com.docker.volume.anonymous"
"""Docker Engine's label for anonymous volumes (moby, volume/service)."""

Thing = tuple[Volume, list[ContainerSummary]]


def row(volume: Volume, size_bytes: int | None, used: list[ContainerSummary], clock: Clock) -> Row:
    """Return the row of a volume; `weight` is its size in bytes, None if unknown."""
    created = parse_time(volume.created_at)
    users_cell = names(used) or (Span("unused", "dim"),)
    cells = (
        cell(volume.name, "dim" if ANONYMOUS in volume.labels else "strong" if used else "text"),
        cell(volume.driver, "dim"),
        cell(compact_size(size_bytes) if size_bytes is not None else "", "text"),
        cell(moment(created, clock) if created is not None else "", "dim"),
        cell(volume.labels.get(COMPOSE_PROJECT, ""), "info"),
        users_cell,
    )
    ranks = {"created": float(created or 0)} | ({"size": float(size_bytes)} if size_bytes is not None else {})
    return Row(key=volume.name, name=volume.name, cells=cells, thing=(volume, used), ranks=ranks)


def known_sizes(context: LoadContext) -> dict[str, int]:
    """Return the known sizes in bytes, by name."""
    if context.disk is None:
        return {}
    usages = {volume.name: volume.usage_data for volume in context.disk.volumes}
    return {name: usage.size for name, usage in usages.items() if usage is not None and usage.size >= 0}


async def _load(context: LoadContext) -> list[Row]:
    used = await users(context.engine, volumes_of)
    known = known_sizes(context)
    volumes = sorted(await context.engine.volumes.list(), key=lambda volume: (ANONYMOUS in volume.labels, volume.name))
    return [row(volume, known.get(volume.name), used.get(volume.name, []), context.clock) for volume in volumes]


async def _about(context: LoadContext, row: Row) -> list[Cell]:
    assert isinstance(row.thing, tuple)  # noqa: S101 - what `row` put there
    volume, used = row.thing
    return about(volume, known_sizes(context).get(volume.name), used, context.clock)


def about(volume: Volume, size_bytes: int | None, used: list[ContainerSummary], clock: Clock) -> list[Cell]:
    """Return the details of one volume."""
    created = parse_time(volume.created_at)
    measured = (
        cell(compact_size(size_bytes))
        if size_bytes is not None
        else (Span("^r", "accent"), Span(" measures it", "dim"))
    )
    facts = [
        fact("driver", cell(volume.driver), cell(f"  scope {volume.scope}", "dim")),
        fact("size", measured),
        fact("path", cell(volume.mountpoint), cell("  on the engine's host", "dim")),
    ]
    if created is not None:
        facts.append(fact("created", cell(full_moment(created, clock))))
    facts += [fact("option", cell(f"{name}={value}", "dim")) for name, value in volume.options.items()]
    facts += [fact("label", cell(f"{name}={value}", "dim")) for name, value in volume.labels.items()]
    by = [
        fact(
            container.state,
            cell(container.name),
            cell(f"  at {mount.destination}{'' if mount.rw else ', read-only'}", "dim"),
        )
        for container in in_order(used)
        for mount in container.mounts
        if mount.name == volume.name
    ]
    return block("Volume", facts)[1:] + block("Used by", by or [fact("", cell("no containers", "dim"))])


async def waste(context: LoadContext, row: Row | None = None) -> list[PruneCandidate]:
    """Return the anonymous volumes that no container uses; a named one may be needed later."""
    del row
    used = await users(context.engine, volumes_of)
    known = known_sizes(context)
    return [
        PruneCandidate(volume.name, known.get(volume.name), _remover(volume.name))
        for volume in await context.engine.volumes.list()
        if ANONYMOUS in volume.labels and volume.name not in used
    ]


def _remover(name: str) -> Callable[[Provider], Awaitable[object]]:
    return lambda engine: engine_of(engine).volumes.remove(name)


async def _files(context: LoadContext, row: Row) -> VolumeAccess:
    from pyd_tui.dashboard.resources.volume_access import open_volume  # noqa: PLC0415 - on first use

    assert isinstance(row.thing, tuple)  # noqa: S101 - what `row` put there
    volume, used = row.thing
    return open_volume(context, volume, used)


VOLUMES = ResourceView(
    files=_files,
    name="volumes",
    columns=COLUMNS,
    load=_load,
    about=_about,
    refreshed_by=by_type("volume"),
    empty="no volumes",
    remove=lambda engine, row: engine_of(engine).volumes.remove(row.key),
    waste=waste,
    measures=True,
)
