"""The view of the engine: its facts, its disk usage, and what is unused."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from pyd_core.client.provider import Provider, removal_of
from pyd_core.humanize import compact_size, size
from pyd_core.model.system import DiskUsage, Info, Version
from pyd_tui.dashboard.render.facts import block, fact
from pyd_tui.dashboard.render.figures import counted
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
    LayoutColumn(key="note", title="NOTE", min_width=12, max_width=80, priority=5),
)
STOPPED_STATES = frozenset({"created", "exited", "dead", "stopped"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """The disk usage of one kind of object, in bytes; None before it was measured.

    Attributes:
        name: The kind.
        count: All objects; None if unknown.
        active: Those in use; None if unknown.
        size: Bytes of all.
        free: Bytes of those that prune removes.
        kept: Objects that are unused too, but have a name and stay, as they may be needed later.
        kept_size: Bytes of those.
    """

    name: str
    count: int | None = None
    active: int | None = None
    size: int | None = None
    free: int | None = None
    kept: int = 0
    kept_size: int = 0

    @property
    def note(self) -> str:
        """The objects that prune leaves."""
        if not self.kept:
            return ""
        named = "tagged image" if self.name == "images" else "named volume"
        what = counted(self.kept, f"unused {named}")
        return f"prune keeps {what} ({compact_size(self.kept_size)}); x removes {'it' if self.kept == 1 else 'them'}"


def kinds(disk: DiskUsage) -> list[Kind]:
    """Return the disk usage of each kind of object; what is free is what prune of the same row removes."""
    running = [container for container in disk.containers if container.state not in STOPPED_STATES]
    used_images = {container.image_id for container in disk.containers}
    mounted = {mount.name for container in disk.containers for mount in container.mounts if mount.type == "volume"}
    idle = [image for image in disk.images if image.id not in used_images]
    dangling = [image for image in idle if not images.tags_of(image)]
    tagged = [image for image in idle if images.tags_of(image)]
    unused = [volume for volume in disk.volumes if volume.name not in mounted]
    anonymous = [volume for volume in unused if volumes.ANONYMOUS in volume.labels]
    named = [volume for volume in unused if volumes.ANONYMOUS not in volume.labels]
    volume_sizes = {volume.name: max(0, volume.usage_data.size) if volume.usage_data else 0 for volume in disk.volumes}
    stopped = [container.size_rw or 0 for container in disk.containers if container.state in STOPPED_STATES]
    cache = [entry for entry in disk.build_cache if not entry.in_use]
    return [
        Kind(
            name="containers",
            count=len(disk.containers),
            active=len(running),
            size=sum(container.size_rw or 0 for container in disk.containers),
            free=sum(stopped),
        ),
        Kind(
            name="images",
            count=len(disk.images),
            active=len(disk.images) - len(idle),
            size=disk.layers_size,
            free=sum(image.size - max(0, image.shared_size) for image in dangling),
            kept=len(tagged),
            kept_size=sum(image.size - max(0, image.shared_size) for image in tagged),
        ),
        Kind(
            name="volumes",
            count=len(disk.volumes),
            active=len(disk.volumes) - len(unused),
            size=sum(volume_sizes.values()),
            free=sum(volume_sizes[volume.name] for volume in anonymous),
            kept=len(named),
            kept_size=sum(volume_sizes[volume.name] for volume in named),
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
    """Return the row of a kind."""
    cells = (
        cell(kind.name, "strong"),
        cell(f"{kind.count:,}") if kind.count is not None else EMPTY,
        cell(f"{kind.active:,}") if kind.active is not None else EMPTY,
        cell(compact_size(kind.size)) if kind.size is not None else EMPTY,
        cell(compact_size(kind.free), "warn" if kind.free else "dim") if kind.free is not None else EMPTY,
        cell(kind.note, "dim"),
    )
    return Row(key=kind.name, name=kind.name, cells=cells, thing=kind)


async def _load(context: LoadContext) -> list[Row]:
    info, version = await context.provider.system.info(), await context.provider.system.version()
    engine = cell(f"{info.name}, {info.operating_system or info.os_type}, {info.ncpu} processors", "dim")
    top = Row(
        key="engine",
        name="engine",
        cells=(cell("engine", "strong"), EMPTY, EMPTY, EMPTY, EMPTY, engine),
        thing=(info, version),
    )
    if context.disk is not None:
        rows = [row(kind) for kind in kinds(context.disk)]
    else:
        rows = [
            row(
                Kind(
                    name="containers",
                    count=info.containers,
                    active=info.containers_running + info.containers_paused,
                )
            ),
            row(Kind(name="images", count=info.images)),
            row(Kind(name="volumes")),
            row(Kind(name="build cache")),
        ]
    networks_row = row(Kind(name="networks", count=len(await context.engine.networks.list())))
    return [top, *rows, Row(key="networks", name="networks", cells=(*networks_row.cells[:2], *[EMPTY] * 4), thing=None)]


async def _about(context: LoadContext, row: Row) -> list[Cell]:
    if isinstance(row.thing, tuple):
        return engine_facts(*row.thing)
    candidates = await waste(context, row)
    if not candidates:
        note = "nothing to prune" if row.key != "build cache" else "the build cache is pruned by its builder"
        return [EMPTY, (Span(f" {note}", "dim"),)]
    known = sum(candidate.size or 0 for candidate in candidates)
    head = (
        Span(f" {len(candidates):,} unused", "text"),
        Span(f", {size(known)} reclaimable" if known else "", "text"),
        Span("   P", "accent"),
        Span(" removes them, after asking", "dim"),
    )
    lines = [
        (
            Span(f" {compact_size(candidate.size) if candidate.size is not None else '':>6}  ", "dim"),
            *cell(candidate.name),
        )
        for candidate in candidates
    ]
    return [EMPTY, head, EMPTY, *lines]


def engine_facts(info: Info, version: Version) -> list[Cell]:
    """Return the details of an engine."""
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
    return lines + block("Warnings", warnings)


async def waste(context: LoadContext, row: Row) -> list[PruneCandidate]:
    """Return the unused objects of the kind of a row."""
    match row.key:
        case "containers":
            return await _stopped_containers(context)
        case "images":
            return await images.waste(context)
        case "volumes":
            return await volumes.waste(context)
        case "networks":
            return await networks.waste(context)
        case "engine":
            kinds = (_stopped_containers, images.waste, volumes.waste, networks.waste)
            return [candidate for waste_of in kinds for candidate in await waste_of(context)]
        case _:
            return []


async def _stopped_containers(context: LoadContext) -> list[PruneCandidate]:
    sizes = (
        {container.id: container.size_rw for container in context.disk.containers} if context.disk is not None else {}
    )
    containers = await context.provider.containers.list(all=True)
    return [
        PruneCandidate(container.name, sizes.get(container.id), _remover(container.id))
        for container in containers
        if container.state in STOPPED_STATES
    ]


def _remover(identity: str) -> Callable[[Provider], Awaitable[object]]:
    return lambda engine: removal_of(engine).remove(identity)


SYSTEM = ResourceView(
    name="system",
    columns=COLUMNS,
    load=_load,
    about=_about,
    refreshed_by=lambda event: event.verb in {"create", "destroy", "delete", "prune", "import", "pull", "untag"},
    empty="the engine reports nothing",
    waste=waste,
    measures=True,
    measures_on_open=True,
)
