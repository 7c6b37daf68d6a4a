"""Volumes: what they hold, in bytes, and who uses them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from pyd_core.client.engine_client import EngineClient
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

COLUMNS = (
    LayoutColumn(key="name", title="NAME", min_width=20, max_width=64, priority=0),
    LayoutColumn(key="driver", title="DRIVER", min_width=6, max_width=12, priority=4),
    LayoutColumn(key="size", title="SIZE", min_width=5, max_width=5, priority=1, optional=True, right=True),
    LayoutColumn(key="created", title="CREATED", min_width=8, max_width=8, priority=5, right=True),
    LayoutColumn(key="project", title="PROJECT", min_width=8, max_width=20, priority=6, optional=True),
    LayoutColumn(key="users", title="USED BY", min_width=12, max_width=80, priority=2),
)
ANONYMOUS = "com.docker.volume.anonymous"
"""Docker Engine's label for volumes that nobody gave a name (moby, volume/service)."""

Thing = tuple[Volume, list[ContainerSummary]]


def row(volume: Volume, weight: int | None, used: list[ContainerSummary], clock: Clock) -> Row:
    """Returns a volume's line; `weight` is its bytes, None where nobody asked or the driver doesn't tell."""
    made = parse_time(volume.created_at)
    users_cell = names(used) or (Span("nobody", "dim"),)
    cells = (
        cell(volume.name, "dim" if ANONYMOUS in volume.labels else "strong" if used else "text"),
        cell(volume.driver, "dim"),
        cell(compact_size(weight) if weight is not None else "", "text"),
        cell(moment(made, clock) if made is not None else "", "dim"),
        cell(volume.labels.get(COMPOSE_PROJECT, ""), "info"),
        users_cell,
    )
    return Row(key=volume.name, name=volume.name, cells=cells, thing=(volume, used))


def weights(stock: LoadContext) -> dict[str, int]:
    """Returns the sizes that are known, in bytes, by name."""
    if stock.disk is None:
        return {}
    told = {volume.name: volume.usage_data for volume in stock.disk.volumes}
    return {name: usage.size for name, usage in told.items() if usage is not None and usage.size >= 0}


async def _load(stock: LoadContext) -> list[Row]:
    used = await users(stock.engine, volumes_of)
    known = weights(stock)
    found = sorted(await stock.engine.volumes.list(), key=lambda volume: (ANONYMOUS in volume.labels, volume.name))
    return [row(volume, known.get(volume.name), used.get(volume.name, []), stock.clock) for volume in found]


async def _about(stock: LoadContext, row: Row) -> list[Cell]:
    assert isinstance(row.thing, tuple)  # noqa: S101 - what `row` put there
    volume, used = row.thing
    return about(volume, weights(stock).get(volume.name), used, stock.clock)


def about(volume: Volume, weight: int | None, used: list[ContainerSummary], clock: Clock) -> list[Cell]:
    """Returns the lines about one volume."""
    made = parse_time(volume.created_at)
    measured = cell(compact_size(weight)) if weight is not None else (Span("^r", "accent"), Span(" measures it", "dim"))
    facts = [
        fact("driver", cell(volume.driver), cell(f"  {volume.scope}", "dim")),
        fact("size", measured),
        fact("path", cell(volume.mountpoint), cell("  on the engine's host", "dim")),
    ]
    if made is not None:
        facts.append(fact("created", cell(full_moment(made, clock))))
    facts += [fact("option", cell(f"{name}={value}", "dim")) for name, value in volume.options.items()]
    facts += [fact("label", cell(f"{name}={value}", "dim")) for name, value in volume.labels.items()]
    by = [
        fact(one.state, cell(one.name), cell(f"  at {mount.destination}{'' if mount.rw else ', read-only'}", "dim"))
        for one in in_order(used)
        for mount in one.mounts
        if mount.name == volume.name
    ]
    return block("Volume", facts)[1:] + block("Used by", by or [fact("", cell("nobody uses it", "dim"))])


async def waste(stock: LoadContext, row: Row | None = None) -> list[PruneCandidate]:
    """Returns the volumes that nobody gave a name and no container uses; what has a name may be wanted back."""
    del row
    used = await users(stock.engine, volumes_of)
    known = weights(stock)
    return [
        PruneCandidate(volume.name, known.get(volume.name), _remover(volume.name))
        for volume in await stock.engine.volumes.list()
        if ANONYMOUS in volume.labels and volume.name not in used
    ]


def _remover(name: str) -> Callable[[EngineClient], Awaitable[object]]:
    return lambda engine: engine.volumes.remove(name)


VOLUMES = ResourceView(
    name="volumes",
    columns=COLUMNS,
    load=_load,
    about=_about,
    renewed_by=by_type("volume"),
    empty="no volumes",
    remove=lambda engine, row: engine.volumes.remove(row.key),
    waste=waste,
    measures=True,
)
