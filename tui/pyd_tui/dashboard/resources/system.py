"""The engine itself: what it is, what takes room on its disk, and what nothing uses any more."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from pyd_core.client.engine_client import EngineClient
from pyd_core.humanize import compact_size
from pyd_core.model.system import DiskUsage, Info, Version
from pyd_tui.dashboard.render.facts import block, fact
from pyd_tui.dashboard.render.layout import LayoutColumn
from pyd_tui.dashboard.render.pieces import EMPTY, Cell, Span, cell
from pyd_tui.dashboard.resources import images, networks, volumes
from pyd_tui.dashboard.resources.base import LoadContext, PruneCandidate, ResourceView, Row

COLUMNS = (
    LayoutColumn(key="kind", title="WHAT", min_width=12, max_width=14, priority=0),
    LayoutColumn(key="count", title="COUNT", min_width=5, max_width=8, priority=1, right=True),
    LayoutColumn(key="active", title="IN USE", min_width=6, max_width=8, priority=3, right=True),
    LayoutColumn(key="size", title="SIZE", min_width=5, max_width=5, priority=2, right=True),
    LayoutColumn(key="free", title="UNUSED", min_width=6, max_width=6, priority=4, right=True),
    LayoutColumn(key="note", title="", min_width=12, max_width=80, priority=5),
)
DEAD = frozenset({"created", "exited", "dead", "stopped"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What of one kind is on the disk; bytes, None where nobody has measured."""

    name: str
    count: int
    active: int
    size: int | None = None
    free: int | None = None


def kinds(disk: DiskUsage) -> list[Kind]:
    """Counts and weighs what the engine keeps."""
    running = [one for one in disk.containers if one.state not in DEAD]
    used_images = {one.image_id for one in disk.containers}
    mounted = {mount.name for one in disk.containers for mount in one.mounts if mount.type == "volume"}
    idle = [image for image in disk.images if image.id not in used_images]
    unused = [volume for volume in disk.volumes if volume.name not in mounted]
    weigh = {volume.name: max(0, volume.usage_data.size) if volume.usage_data else 0 for volume in disk.volumes}
    dead = [one.size_rw or 0 for one in disk.containers if one.state in DEAD]
    cache = [entry for entry in disk.build_cache if not entry.in_use]
    return [
        Kind(
            name="containers",
            count=len(disk.containers),
            active=len(running),
            size=sum(one.size_rw or 0 for one in disk.containers),
            free=sum(dead),
        ),
        Kind(
            name="images",
            count=len(disk.images),
            active=len(disk.images) - len(idle),
            size=disk.layers_size,
            free=sum(image.size - max(0, image.shared_size) for image in idle),
        ),
        Kind(
            name="volumes",
            count=len(disk.volumes),
            active=len(disk.volumes) - len(unused),
            size=sum(weigh.values()),
            free=sum(weigh[volume.name] for volume in unused),
        ),
        Kind(
            name="build cache",
            count=len(disk.build_cache),
            active=len(disk.build_cache) - len(cache),
            size=sum(entry.size for entry in disk.build_cache if not entry.shared),
            free=sum(entry.size for entry in cache if not entry.shared),
        ),
    ]


def row(kind: Kind) -> Row:
    """Returns a kind's line."""
    cells = (
        cell(kind.name, "strong"),
        cell(f"{kind.count:,}"),
        cell(f"{kind.active:,}"),
        cell(compact_size(kind.size)) if kind.size is not None else EMPTY,
        cell(compact_size(kind.free), "warn" if kind.free else "dim") if kind.free is not None else EMPTY,
        EMPTY,
    )
    return Row(key=kind.name, name=kind.name, cells=cells, thing=kind)


async def _load(stock: LoadContext) -> list[Row]:
    info, version = await stock.engine.system.info(), await stock.engine.system.version()
    engine = cell(f"{info.name}, {info.operating_system or info.os_type}, {info.ncpu} processors", "dim")
    top = Row(
        key="engine",
        name="engine",
        cells=(cell("engine", "strong"), EMPTY, EMPTY, EMPTY, EMPTY, engine),
        thing=(info, version),
    )
    if stock.disk is not None:
        rows = [row(kind) for kind in kinds(stock.disk)]
    else:
        rows = [
            row(Kind(name="containers", count=info.containers, active=info.containers_running)),
            row(Kind(name="images", count=info.images, active=0)),
        ]
    networks_row = row(Kind(name="networks", count=len(await stock.engine.networks.list()), active=0))
    return [top, *rows, Row(key="networks", name="networks", cells=(*networks_row.cells[:2], *[EMPTY] * 4), thing=None)]


async def _about(stock: LoadContext, row: Row) -> list[Cell]:
    if isinstance(row.thing, tuple):
        return engine_facts(*row.thing)
    found = await waste(stock, row)
    if not found:
        said = "nothing of it can be pruned" if row.key != "build cache" else "the build cache is pruned by its builder"
        return [EMPTY, (Span(f" {said}", "dim"),)]
    known = sum(one.size or 0 for one in found)
    head = (
        Span(f" {len(found):,} of them nothing uses", "text"),
        Span(f", {compact_size(known)} in all" if known else "", "text"),
        Span("   P", "accent"),
        Span(" removes them, and asks first", "dim"),
    )
    lines = [
        (Span(f" {compact_size(one.size) if one.size is not None else '':>6}  ", "dim"), *cell(one.name))
        for one in found
    ]
    return [EMPTY, head, EMPTY, *lines]


def engine_facts(info: Info, version: Version) -> list[Cell]:
    """Returns the lines about an engine."""
    parts = ", ".join(f"{part.name} {part.version}" for part in version.components)
    security = ", ".join(option.removeprefix("name=").replace(",profile=", " ") for option in info.security_options)
    facts = (
        ("host", info.name),
        ("engine", version.platform.name),
        ("version", f"{info.server_version}, API {version.api_version}"),
        ("parts", parts),
        ("system", f"{info.operating_system}, kernel {info.kernel_version}, {info.architecture}"),
        ("processors", str(info.ncpu)),
        ("memory", compact_size(info.mem_total) if info.mem_total else ""),
        ("storage", f"{info.driver} in {info.docker_root_dir}" if info.driver else ""),
        ("cgroups", f"version {info.cgroup_version} by {info.cgroup_driver}" if info.cgroup_version else ""),
        ("logs", info.logging_driver),
        ("runtime", info.default_runtime),
        ("security", security),
        ("swarm", info.swarm.local_node_state),
    )
    lines = block("Engine", [fact(name, cell(text)) for name, text in facts if text])[1:]
    warnings: list[Cell] = [(Span(" ", "warn"), *cell(text, "warn")) for text in info.warnings or []]
    return lines + block("It warns", warnings)


async def waste(stock: LoadContext, row: Row) -> list[PruneCandidate]:
    """Returns what nothing uses, of the kind of a row."""
    match row.key:
        case "containers":
            return await _dead_containers(stock)
        case "images":
            return await images.waste(stock)
        case "volumes":
            return await volumes.waste(stock)
        case "networks":
            return await networks.waste(stock)
        case _:
            return []


async def _dead_containers(stock: LoadContext) -> list[PruneCandidate]:
    weigh = {one.id: one.size_rw for one in stock.disk.containers} if stock.disk is not None else {}
    found = await stock.engine.containers.list(all=True)
    return [PruneCandidate(one.name, weigh.get(one.id), _remover(one.id)) for one in found if one.state in DEAD]


def _remover(identity: str) -> Callable[[EngineClient], Awaitable[object]]:
    return lambda engine: engine.containers.remove(identity)


SYSTEM = ResourceView(
    name="system",
    columns=COLUMNS,
    load=_load,
    about=_about,
    renewed_by=lambda event: event.verb in {"create", "destroy", "delete", "prune", "import", "pull", "untag"},
    empty="the engine says nothing of itself",
    waste=waste,
    measures=True,
    measures_at_once=True,
)
