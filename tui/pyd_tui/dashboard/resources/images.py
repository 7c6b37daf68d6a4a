"""Images: what they are called, what they weigh, who uses them, and the steps of their making."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from pyd_core.client.engine_client import EngineClient
from pyd_core.humanize import compact_size
from pyd_core.model.base import parse_time
from pyd_core.model.container import ContainerSummary
from pyd_core.model.image import HistoryLayer, Image, ImageSummary
from pyd_tui.dashboard.render.facts import block, fact
from pyd_tui.dashboard.render.figures import SECOND, Clock, counted, full_moment, moment, percent
from pyd_tui.dashboard.render.layout import LayoutColumn
from pyd_tui.dashboard.render.pieces import EMPTY, Cell, Role, Span, cell
from pyd_tui.dashboard.resources.base import LoadContext, PruneCandidate, ResourceView, Row, by_type
from pyd_tui.dashboard.resources.users import image_of, in_order, names, users

if TYPE_CHECKING:
    from pyd_core.layers.content import ImageContents, LayerStep

COLUMNS = (
    LayoutColumn(key="name", title="NAME", min_width=20, max_width=70, priority=0, cut_start=True),
    LayoutColumn(key="size", title="SIZE", min_width=5, max_width=5, priority=1, right=True),
    LayoutColumn(key="created", title="CREATED", min_width=8, max_width=8, priority=3, right=True),
    LayoutColumn(key="id", title="ID", min_width=12, max_width=12, priority=4),
    LayoutColumn(key="users", title="USED BY", min_width=12, max_width=80, priority=2),
)
REMEMBERED = 8
"""Images of which is remembered what is in their layers."""
MOST_WASTEFUL = 20
"""Wasted files that are named."""
_MAKERS = ("RUN", "COPY", "ADD", "WORKDIR")
"""Instructions that make layers, empty ones too."""

Thing = tuple[ImageSummary, list[ContainerSummary]]


def tags_of(image: ImageSummary) -> list[str]:
    """Its names; engines write `<none>:<none>` where there are none."""
    return [tag for tag in image.repo_tags if not tag.startswith("<none>")]


def short(identity: str) -> str:
    """The twelve digits that people compare."""
    return identity.removeprefix("sha256:")[:12]


def row(image: ImageSummary, used: list[ContainerSummary], clock: Clock) -> Row:
    """Returns an image's line."""
    tags = tags_of(image)
    digests = [digest for digest in image.repo_digests if not digest.startswith("<none>")]
    if tags:
        name: Cell = cell(tags[0], "strong" if used else "text")
        if len(tags) > 1:
            name = (*name, Span(f" and {len(tags) - 1} more", "dim"))
    else:
        known = digests[0].partition("@")[0] if digests else ""
        name = (*cell(f"{known} " if known else ""), Span("untagged" if used else "dangling", "warn"))
    users_cell = names(used) or (Span("nobody", "dim"),)
    cells = (
        name,
        cell(compact_size(image.size)),
        cell(moment(image.created * SECOND, clock) if image.created > 0 else "", "dim"),
        cell(short(image.id), "dim"),
        users_cell,
    )
    words = " ".join([*tags, image.id, *digests])
    return Row(key=image.id, name=tags[0] if tags else short(image.id), cells=cells, thing=(image, used), words=words)


def _of(row: Row) -> Thing:
    assert isinstance(row.thing, tuple)  # noqa: S101 - what `row` put there
    return row.thing


async def _load(stock: LoadContext) -> list[Row]:
    used = await users(stock.engine, image_of)
    found = await stock.engine.images.list()
    rows = [row(image, used.get(image.id, []), stock.clock) for image in found]
    return sorted(rows, key=lambda row: (not tags_of(_of(row)[0]), row.name.casefold(), row.key))


async def _about(stock: LoadContext, row: Row) -> list[Cell]:
    summary, used = _of(row)
    image = await stock.engine.images.inspect(summary.id)
    layers = await stock.engine.images.history(summary.id)
    return about(summary, image, layers, used, stock.clock, inside=stock.inside.get(summary.id))


async def _dig(stock: LoadContext, row: Row, told: Callable[[str], None]) -> None:
    """Looks into the layers; the newest few images that were looked into are remembered."""
    from pyd_core.layers.inspect import image_contents  # noqa: PLC0415 - when somebody asks for it

    summary, _ = _of(row)
    if summary.id not in stock.inside:
        told("looking into it")
        image = await stock.engine.images.inspect(summary.id)
        found = await image_contents(
            stock.engine, image, lambda count: told(f"read {compact_size(count)} of about {compact_size(image.size)}")
        )
        while len(stock.inside) >= REMEMBERED:
            stock.inside.pop(next(iter(stock.inside)))
        stock.inside[summary.id] = found


def about(
    summary: ImageSummary,
    image: Image,
    layers: list[HistoryLayer],
    used: list[ContainerSummary],
    clock: Clock,
    *,
    inside: ImageContents | None = None,
) -> list[Cell]:
    """Returns the lines about one image; `inside` is what is in its layers, where somebody looked."""
    config = image.config
    entry = config.entrypoint if isinstance(config.entrypoint, list) else [config.entrypoint or ""]
    runs = " ".join([*entry, *(config.cmd or [])]).strip()
    made = parse_time(image.created)
    platform = "/".join(part for part in (image.os, image.architecture, image.variant) if part)
    told = [f"{compact_size(image.size)} in {counted(len(image.root_fs.layers), 'layer')}", platform]
    if made is not None:
        told.append(f"created {full_moment(made, clock)}")
    facts = [
        *(fact("tag" if not at else "", cell(tag)) for at, tag in enumerate(tags_of(summary))),
        fact("holds", cell(", ".join(part for part in told if part))),
        fact("runs", cell(runs or "nothing by itself"), cell(f"  as {config.user or 'root'}", "dim")),
        *([fact("ports", cell(", ".join(config.exposed_ports)))] if config.exposed_ports else []),
        *(fact("digest", cell(digest, "dim")) for digest in image.repo_digests),
        fact("id", cell(image.id, "dim")),
    ]
    by = [fact(one.state, cell(one.name)) for one in in_order(used)] or [fact("", cell("nobody uses it", "dim"))]
    steps = block("Layers, the newest first", _layers(layers, inside))
    hint: list[Cell] = [] if inside else [EMPTY, (Span(" f", "accent"), Span(" looks into the layers", "dim"))]
    return block("Image", facts)[1:] + steps + (_wasted(inside) if inside else hint) + block("Used by", by)


def _wasted(inside: ImageContents) -> list[Cell]:
    """Bytes that the image carries and nobody can read, and in which files they are."""
    if not inside.waste:
        return block("Wasted", [(Span("  nothing: every byte of it can be read", "dim"),)])
    head = [
        Span(f" {compact_size(inside.wasted):>6}  ", "warn" if inside.efficiency < 0.9 else "text"),
        Span(
            f"in {counted(len(inside.waste), 'file')}; {percent(100 * inside.efficiency)} of its bytes can be read",
            "dim",
        ),
    ]
    lines: list[Cell] = [tuple(head)]
    for one in inside.waste[:MOST_WASTEFUL]:
        times = f"  in {one.copies} layers" if one.copies > 1 else "  removed again"
        lines.append((Span(f" {compact_size(one.size):>6}  ", "dim"), *cell(f"/{one.path}"), Span(times, "dim")))
    if len(inside.waste) > MOST_WASTEFUL:
        lines.append((Span(f"         and {len(inside.waste) - MOST_WASTEFUL:,} more", "dim"),))
    return block("Wasted", lines)


def steps_of(layers: list[HistoryLayer], inside: ImageContents) -> dict[int, LayerStep]:
    """Says which step of an image's making made which layer, by the place in its history, the newest first.

    Engines don't say which steps made a layer (the image's configuration does, as `empty_layer`, but isn't told). Those
    with bytes in them did; where that isn't all, those that could have, by their command.
    """
    oldest = list(reversed(range(len(layers))))
    filled = [at for at in oldest if layers[at].size]
    if len(filled) != len(inside.steps):
        filled = [at for at in oldest if layers[at].size or step(layers[at].created_by).startswith(_MAKERS)]
    return dict(zip(filled, inside.steps, strict=True)) if len(filled) == len(inside.steps) else {}


def _layers(layers: list[HistoryLayer], inside: ImageContents | None) -> list[Cell]:
    """Every step with what it added; steps that only changed settings are dim."""
    lines: list[Cell] = []
    made = steps_of(layers, inside) if inside else {}
    for at, layer in enumerate(layers):
        weight = compact_size(layer.size) if layer.size else "·"
        heavy: Role = "warn" if layer.size >= 100 << 20 else "text" if layer.size else "faint"
        command = step(layer.created_by) or layer.comment or "(not said)"
        lines.append((Span(f" {weight:>6}  ", heavy), *cell(command, "text" if layer.size else "dim")))
        if (found := made.get(at)) is not None:
            lines.append(_counted(found))
    if inside and not made:  # the history was cut or rewritten: the layers alone
        lines += [EMPTY, *map(_counted, reversed(inside.steps))]
    return lines


def _counted(found: LayerStep) -> Cell:
    told = [counted(found.added, "file")]
    told += [f"{found.changed:,} changed"] if found.changed else []
    told += [f"{found.removed:,} removed"] if found.removed else []
    wasted = cell(f", wastes {compact_size(found.wasted)}", "warn") if found.wasted else EMPTY
    return (Span("         "), *cell(", ".join(told), "dim"), *wasted)


def step(created_by: str) -> str:
    """Says the command of a layer as a Dockerfile would: builders write it in several ways."""
    text = " ".join(created_by.split())
    if text.startswith("/bin/sh -c #(nop) "):
        return text.removeprefix("/bin/sh -c #(nop) ").strip()
    if text.startswith("/bin/sh -c "):
        text = f"RUN {text.removeprefix('/bin/sh -c ')}"
    return text.replace("RUN /bin/sh -c ", "RUN ").removesuffix(" # buildkit")


async def waste(stock: LoadContext, row: Row | None = None) -> list[PruneCandidate]:
    """Returns the images without a name that no container uses."""
    del row
    used = await users(stock.engine, image_of)
    shared = {image.id: image.shared_size for image in stock.disk.images} if stock.disk is not None else {}
    return [
        PruneCandidate(short(image.id), image.size - max(0, shared.get(image.id, 0)), _remover(image.id))
        for image in await stock.engine.images.list()
        if not tags_of(image) and image.id not in used
    ]


def _remover(identity: str) -> Callable[[EngineClient], Awaitable[object]]:
    return lambda engine: engine.images.remove(identity)


async def _remove(engine: EngineClient, row: Row) -> object:
    """By name where it has a single one, so that removing the image takes that name away."""
    tags = tags_of(_of(row)[0])
    for name in tags or [row.key]:
        await engine.images.remove(name)
    return None


IMAGES = ResourceView(
    dig=_dig,
    name="images",
    columns=COLUMNS,
    load=_load,
    about=_about,
    renewed_by=by_type("image"),
    empty="no images",
    remove=_remove,
    waste=waste,
)
