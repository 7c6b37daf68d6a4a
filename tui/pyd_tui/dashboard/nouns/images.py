"""Images: what they are called, what they weigh, who uses them, and the steps of their making."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from pyd_core.engine.client import Engine
from pyd_core.model.base import parse_time
from pyd_core.model.container import ContainerSummary
from pyd_core.model.image import HistoryLayer, Image, ImageSummary
from pyd_tui.dashboard.nouns.base import Noun, Row, Stock, Waste, by_type
from pyd_tui.dashboard.nouns.users import image_of, in_order, names, users
from pyd_tui.dashboard.render.facts import block, fact
from pyd_tui.dashboard.render.figures import SECOND, Clock, full_moment, moment, size
from pyd_tui.dashboard.render.layout import Column
from pyd_tui.dashboard.render.pieces import Cell, Piece, Role, cell

COLUMNS = (
    Column(key="name", title="NAME", least=20, most=70, priority=0, from_start=True),
    Column(key="size", title="SIZE", least=5, most=5, priority=1, right=True),
    Column(key="created", title="CREATED", least=8, most=8, priority=3, right=True),
    Column(key="id", title="ID", least=12, most=12, priority=4),
    Column(key="users", title="USED BY", least=12, most=80, priority=2),
)
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
            name = (*name, Piece(f" and {len(tags) - 1} more", "dim"))
    else:
        known = digests[0].partition("@")[0] if digests else ""
        name = (*cell(f"{known} " if known else ""), Piece("untagged" if used else "dangling", "warn"))
    users_cell = names(used) or (Piece("nobody", "dim"),)
    cells = (
        name,
        cell(size(image.size)),
        cell(moment(image.created * SECOND, clock) if image.created > 0 else "", "dim"),
        cell(short(image.id), "dim"),
        users_cell,
    )
    words = " ".join([*tags, image.id, *digests])
    return Row(key=image.id, name=tags[0] if tags else short(image.id), cells=cells, thing=(image, used), words=words)


def _of(row: Row) -> Thing:
    assert isinstance(row.thing, tuple)  # noqa: S101 - what `row` put there
    return row.thing


async def _load(stock: Stock) -> list[Row]:
    used = await users(stock.engine, image_of)
    found = await stock.engine.images.list()
    rows = [row(image, used.get(image.id, []), stock.clock) for image in found]
    return sorted(rows, key=lambda row: (not tags_of(_of(row)[0]), row.name.casefold(), row.key))


async def _about(stock: Stock, row: Row) -> list[Cell]:
    summary, used = _of(row)
    image = await stock.engine.images.inspect(summary.id)
    layers = await stock.engine.images.history(summary.id)
    return about(summary, image, layers, used, stock.clock)


def about(
    summary: ImageSummary, image: Image, layers: list[HistoryLayer], used: list[ContainerSummary], clock: Clock
) -> list[Cell]:
    """Returns the lines about one image."""
    config = image.config
    entry = config.entrypoint if isinstance(config.entrypoint, list) else [config.entrypoint or ""]
    runs = " ".join([*entry, *(config.cmd or [])]).strip()
    made = parse_time(image.created)
    platform = "/".join(part for part in (image.os, image.architecture, image.variant) if part)
    told = [f"{size(image.size)} in {len(image.root_fs.layers)} layers", platform]
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
    return block("Image", facts)[1:] + block("Layers, the newest first", _layers(layers)) + block("Used by", by)


def _layers(layers: list[HistoryLayer]) -> list[Cell]:
    """Every step with what it added; steps that only changed settings are dim."""
    lines: list[Cell] = []
    for layer in layers:
        weight = size(layer.size) if layer.size else "·"
        heavy: Role = "warn" if layer.size >= 100 << 20 else "text" if layer.size else "faint"
        command = step(layer.created_by) or layer.comment or "(not said)"
        lines.append((Piece(f" {weight:>6}  ", heavy), *cell(command, "text" if layer.size else "dim")))
    return lines


def step(created_by: str) -> str:
    """Says the command of a layer as a Dockerfile would: builders write it in several ways."""
    text = " ".join(created_by.split())
    if text.startswith("/bin/sh -c #(nop) "):
        return text.removeprefix("/bin/sh -c #(nop) ").strip()
    if text.startswith("/bin/sh -c "):
        text = f"RUN {text.removeprefix('/bin/sh -c ')}"
    return text.replace("RUN /bin/sh -c ", "RUN ").removesuffix(" # buildkit")


async def waste(stock: Stock, row: Row | None = None) -> list[Waste]:
    """Returns the images without a name that no container uses."""
    del row
    used = await users(stock.engine, image_of)
    shared = {image.id: image.shared_size for image in stock.disk.images} if stock.disk is not None else {}
    return [
        Waste(short(image.id), image.size - max(0, shared.get(image.id, 0)), _remover(image.id))
        for image in await stock.engine.images.list()
        if not tags_of(image) and image.id not in used
    ]


def _remover(identity: str) -> Callable[[Engine], Awaitable[object]]:
    return lambda engine: engine.images.remove(identity)


async def _remove(engine: Engine, row: Row) -> object:
    """By name where it has a single one, so that removing the image takes that name away."""
    tags = tags_of(_of(row)[0])
    for name in tags or [row.key]:
        await engine.images.remove(name)
    return None


IMAGES = Noun(
    name="images",
    columns=COLUMNS,
    load=_load,
    about=_about,
    renewed_by=by_type("image"),
    empty="no images",
    remove=_remove,
    waste=waste,
)
