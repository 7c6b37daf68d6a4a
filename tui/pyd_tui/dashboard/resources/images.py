"""The view of images: their tags, sizes, users and build steps."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from pyd_core.client.provider import Provider, image_removal_of, images_of
from pyd_core.humanize import compact_size
from pyd_core.model.base import parse_time
from pyd_core.model.container import ContainerSummary
from pyd_core.model.image import HistoryLayer, Image, ImageSummary
from pyd_tui.dashboard.render.facts import block, fact
from pyd_tui.dashboard.render.figures import SECOND, Clock, counted, full_moment, moment, percent
from pyd_tui.dashboard.render.layout import LayoutColumn
from pyd_tui.dashboard.render.pieces import EMPTY, Cell, Role, Span, cell
from pyd_tui.dashboard.resources.base import LoadContext, PruneCandidate, ResourceView, Row, by_type
from pyd_tui.dashboard.resources.users import Users, image_of, in_order, names, users

if TYPE_CHECKING:
    from pyd_core.layers.content import ImageContents, LayerStep

COLUMNS = (
    LayoutColumn(key="name", title="NAME", min_width=20, max_width=70, priority=0, cut_start=True),
    LayoutColumn(key="size", title="SIZE", min_width=5, max_width=5, priority=1, right=True),
    LayoutColumn(key="created", title="CREATED", min_width=8, max_width=8, priority=3, right=True),
    LayoutColumn(key="id", title="ID", min_width=12, max_width=12, priority=4),
    LayoutColumn(key="users", title="USED BY", min_width=12, max_width=80, priority=2),
)
MAX_INSPECTED_IMAGES = 8
"""The number of images whose layer contents are kept."""
MAX_WASTED_FILES = 20
"""The number of wasted files that are listed."""
_MAKERS = ("RUN", "COPY", "ADD", "WORKDIR")
"""Instructions that create layers, empty ones too."""

Thing = tuple[ImageSummary, list[ContainerSummary]]


def tags_of(image: ImageSummary) -> list[str]:
    """Return an image's tags; engines write `<none>:<none>` where there are none."""
    return [tag for tag in image.repo_tags if not tag.startswith("<none>")]


def short(identity: str) -> str:
    """Return the short id."""
    return identity.removeprefix("sha256:")[:12]


def row(image: ImageSummary, used: list[ContainerSummary], clock: Clock) -> Row:
    """Return the row of an image."""
    tags = tags_of(image)
    digests = [digest for digest in image.repo_digests if not digest.startswith("<none>")]
    if tags:
        name: Cell = cell(tags[0], "strong" if used else "text")
        if len(tags) > 1:
            name = (*name, Span(f" and {len(tags) - 1} more", "dim"))
    else:
        known = digests[0].partition("@")[0] if digests else ""
        name = (*cell(f"{known} " if known else ""), Span("untagged" if used else "dangling", "warn"))
    users_cell = names(used) or (Span("unused", "dim"),)
    cells = (
        name,
        cell(compact_size(image.size)),
        cell(moment(image.created * SECOND, clock) if image.created > 0 else "", "dim"),
        cell(short(image.id), "dim"),
        users_cell,
    )
    words = " ".join([*tags, image.id, *digests])
    return Row(
        key=image.id,
        name=tags[0] if tags else short(image.id),
        cells=cells,
        thing=(image, used),
        words=words,
        ranks={"size": image.size, "created": image.created},
    )


def users_of(image: ImageSummary, used: Users) -> list[ContainerSummary]:
    """Return the containers of an image, which runtimes name by its id or by one of its names."""
    keys = dict.fromkeys((image.id, *image.repo_tags, *image.repo_digests))
    return list({user.id: user for key in keys for user in used.get(key, [])}.values())


def _of(row: Row) -> Thing:
    assert isinstance(row.thing, tuple)  # noqa: S101 - what `row` put there
    return row.thing


async def _load(context: LoadContext) -> list[Row]:
    used = await users(context.provider, image_of)
    images = await images_of(context.provider).list()
    rows = [row(image, users_of(image, used), context.clock) for image in images]
    return sorted(rows, key=lambda row: (not tags_of(_of(row)[0]), row.name.casefold(), row.key))


async def _about(context: LoadContext, row: Row) -> list[Cell]:
    summary, used = _of(row)
    images = images_of(context.provider)
    image = await images.inspect(summary.id)
    layers = await images.history(summary.id)
    return about(summary, image, layers, used, context.clock, inside=context.inside.get(summary.id))


async def _inspect_layers(context: LoadContext, row: Row, on_progress: Callable[[str], None]) -> None:
    """Inspect the layers; the contents of the last few images are kept."""
    from pyd_core.layers.inspect import image_contents  # noqa: PLC0415 - on first use

    summary, _ = _of(row)
    if summary.id not in context.inside:
        on_progress("inspecting layers")
        image = await images_of(context.provider).inspect(summary.id)
        layers = await image_contents(
            context.provider,
            image,
            lambda count: on_progress(f"read {compact_size(count)} of about {compact_size(image.size)}"),
        )
        while len(context.inside) >= MAX_INSPECTED_IMAGES:
            context.inside.pop(next(iter(context.inside)))
        context.inside[summary.id] = layers


def about(
    summary: ImageSummary,
    image: Image,
    layers: list[HistoryLayer],
    used: list[ContainerSummary],
    clock: Clock,
    *,
    inside: ImageContents | None = None,
) -> list[Cell]:
    """Return the details of one image; `inside` is the contents of its layers, if inspected."""
    config = image.config
    entry = config.entrypoint if isinstance(config.entrypoint, list) else [config.entrypoint or ""]
    runs = " ".join([*entry, *(config.cmd or [])]).strip()
    created = parse_time(image.created)
    platform = "/".join(part for part in (image.os, image.architecture, image.variant) if part)
    facts = [
        *(fact("tag" if not index else "", cell(tag)) for index, tag in enumerate(tags_of(summary))),
        fact("size", cell(f"{compact_size(image.size)}, {counted(len(image.root_fs.layers), 'layer')}")),
        *([fact("platform", cell(platform))] if platform else []),
        *([fact("created", cell(full_moment(created, clock)))] if created is not None else []),
        fact("command", cell(runs or "no default command")),
        fact("user", cell(config.user or "root")),
        *([fact("ports", cell(", ".join(config.exposed_ports)))] if config.exposed_ports else []),
        *(fact("digest", cell(digest, "dim")) for digest in image.repo_digests),
        fact("ID", cell(image.id, "dim")),
    ]
    by = [fact(container.state, cell(container.name)) for container in in_order(used)] or [
        fact("", cell("no containers", "dim"))
    ]
    steps = block("Layers, newest first", _layers(layers, inside))
    hint: list[Cell] = [] if inside else [EMPTY, (Span(" F", "accent"), Span(" inspects the layers", "dim"))]
    return block("Image", facts)[1:] + steps + (_wasted(inside) if inside else hint) + block("Used by", by)


def _wasted(inside: ImageContents) -> list[Cell]:
    """Return the files whose bytes the image carries though no container can read them."""
    if not inside.waste:
        return block("Wasted", [(Span("  nothing: every byte is visible in a container", "dim"),)])
    head = [
        Span(f" {compact_size(inside.wasted):>6}  ", "warn" if inside.efficiency < 0.9 else "text"),
        Span(
            f"in {counted(len(inside.waste), 'file')}; {percent(100 * inside.efficiency)} of the image's bytes are "
            "visible in a container",
            "dim",
        ),
    ]
    lines: list[Cell] = [tuple(head)]
    for file in inside.waste[:MAX_WASTED_FILES]:
        times = f"  in {file.copies} layers" if file.copies > 1 else "  removed again"
        lines.append((Span(f" {compact_size(file.size):>6}  ", "dim"), *cell(f"/{file.path}"), Span(times, "dim")))
    if len(inside.waste) > MAX_WASTED_FILES:
        lines.append((Span(f"         and {len(inside.waste) - MAX_WASTED_FILES:,} more", "dim"),))
    return block("Wasted", lines)


def steps_of(layers: list[HistoryLayer], inside: ImageContents) -> dict[int, LayerStep]:
    """Return the layer of each build step, by the step's index in the history, the newest first.

    Engines don't report which steps created a layer (the image's configuration has it, as `empty_layer`, but isn't
    returned). Steps with bytes did; if these are too few, so did those whose command creates layers.
    """
    oldest = list(reversed(range(len(layers))))
    filled = [index for index in oldest if layers[index].size]
    if len(filled) != len(inside.steps):
        filled = [index for index in oldest if layers[index].size or step(layers[index].created_by).startswith(_MAKERS)]
    return dict(zip(filled, inside.steps, strict=True)) if len(filled) == len(inside.steps) else {}


def _layers(layers: list[HistoryLayer], inside: ImageContents | None) -> list[Cell]:
    """Return every step with what it added; steps that only changed settings are dim."""
    lines: list[Cell] = []
    steps = steps_of(layers, inside) if inside else {}
    for index, layer in enumerate(layers):
        weight = compact_size(layer.size) if layer.size else "·"
        heavy: Role = "warn" if layer.size >= 100 << 20 else "text" if layer.size else "faint"
        command = step(layer.created_by) or layer.comment or "(unknown)"
        lines.append((Span(f" {weight:>6}  ", heavy), *cell(command, "text" if layer.size else "dim")))
        if (made_by := steps.get(index)) is not None:
            lines.append(_counted(made_by))
    if inside and not steps:  # the history was cut or rewritten: only the layers
        lines += [EMPTY, *map(_counted, reversed(inside.steps))]
    return lines


def _counted(layer: LayerStep) -> Cell:
    counts = [counted(layer.added, "file")]
    counts += [f"{layer.changed:,} changed"] if layer.changed else []
    counts += [f"{layer.removed:,} removed"] if layer.removed else []
    wasted = cell(f", wastes {compact_size(layer.wasted)}", "warn") if layer.wasted else EMPTY
    return (Span("         "), *cell(", ".join(counts), "dim"), *wasted)


def step(created_by: str) -> str:
    """Return the command of a layer as in a Dockerfile; builders write it in several ways."""
    text = " ".join(created_by.split())
    if text.startswith("/bin/sh -c #(nop) "):
        return text.removeprefix("/bin/sh -c #(nop) ").strip()
    if text.startswith("/bin/sh -c "):
        text = f"RUN {text.removeprefix('/bin/sh -c ')}"
    return text.replace("RUN /bin/sh -c ", "RUN ").removesuffix(" # buildkit")


async def waste(context: LoadContext, row: Row | None = None) -> list[PruneCandidate]:
    """Return the untagged images that no container uses."""
    del row
    used = await users(context.provider, image_of)
    shared = {image.id: image.shared_size for image in context.disk.images} if context.disk is not None else {}
    return [
        PruneCandidate(short(image.id), image.size - max(0, shared.get(image.id, 0)), _remover(image.id))
        for image in await images_of(context.provider).list()
        if not tags_of(image) and not users_of(image, used)
    ]


def _remover(identity: str) -> Callable[[Provider], Awaitable[object]]:
    return lambda provider: image_removal_of(provider).remove(identity)


async def _remove(provider: Provider, row: Row) -> object:
    """Remove an image by its tags, so that removing the image removes them too."""
    images = image_removal_of(provider)
    tags = tags_of(_of(row)[0])
    for name in [row.key] if images.removes_names_by_id else tags or [row.key]:
        await images.remove(name)
    return None


IMAGES = ResourceView(
    inspect_layers=_inspect_layers,
    name="images",
    columns=COLUMNS,
    load=_load,
    about=_about,
    refreshed_by=by_type("image"),
    empty="no images",
    remove=_remove,
    waste=waste,
    pulls=True,
    saves=True,
)

NODE_IMAGES = replace(IMAGES, pulls=False, saves=False)
"""The same of a node, whose runtime neither pulls nor exports for pyd."""
