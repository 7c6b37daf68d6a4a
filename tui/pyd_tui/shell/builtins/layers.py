"""`layers`: the layers of the target's image, and the target's own."""

from __future__ import annotations

import click
import msgspec

from pyd_core.client.engine_client import EngineClient
from pyd_core.client.provider import engine_of
from pyd_core.client.transport.blocking import run_now
from pyd_core.debug.reference import IMAGE
from pyd_core.errors import Unsupported
from pyd_core.humanize import size
from pyd_tui.console.columns import Cell, TableColumn, write_table
from pyd_tui.console.output import write_json
from pyd_tui.shell.command import BuiltinCommand
from pyd_tui.shell.interactive_shell import ShellContext, pass_shell

COLUMNS = (
    TableColumn(title="SIZE", right=True),
    TableColumn(title="LAYER", rank=2),
    TableColumn(title="MADE BY", cut=40, wrap=True),
)


class LayerRow(msgspec.Struct, frozen=True, kw_only=True):
    """A layer; the topmost comes first."""

    size: int
    id: str
    """Id of the image that ends with it; empty if the engine has none."""
    made_by: str


@click.command("layers", cls=BuiltinCommand, examples=(("layers", "from the container's own down to the base"),))
@pass_shell
def command(shell: ShellContext, /) -> None:
    """List the layers of the target's files with their sizes and commands, topmost first."""
    container = shell.access.container
    if not container.image:
        raise Unsupported(f"{shell.name} has no image")
    layers = run_now(
        find(engine_of(shell.engine()), container.id if container.state.status != IMAGE else "", container.image)
    )
    if shell.json:
        write_json(layers)
        return
    write_table(
        COLUMNS, [[Cell(size(layer.size)), Cell(layer.id[7:19], "dim"), Cell(layer.made_by)] for layer in layers]
    )


async def find(engine: EngineClient, container: str, image: str) -> list[LayerRow]:
    """Return the layers of a container and its image, or of an image if there is no container."""
    async with engine:
        container_size = (await engine.containers.inspect(container, size=True)).size_rw if container else None
        history = await engine.images.history(image)
    layers = [
        LayerRow(
            size=layer.size,
            id="" if layer.id == "<missing>" else layer.id,
            made_by=" ".join((layer.created_by or layer.comment).removeprefix("/bin/sh -c #(nop)").split()),
        )
        for layer in history
    ]
    return [LayerRow(size=container_size or 0, id="", made_by="the container itself"), *layers] if container else layers
