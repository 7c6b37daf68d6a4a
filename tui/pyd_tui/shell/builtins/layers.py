"""`layers`: the layers of the target's image, and what the target added."""

from __future__ import annotations

import click
import msgspec

from pyd_core.client.engine_client import EngineClient
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
    TableColumn(title="MADE BY", cut=40),
)


class LayerRow(msgspec.Struct, frozen=True, kw_only=True):
    """One layer, the topmost first."""

    size: int
    id: str
    """Of an image that ends with it; empty where the engine kept none."""
    made_by: str


@click.command("layers", cls=BuiltinCommand, examples=(("layers", "from the container's own down to the first"),))
@pass_shell
def command(shell: ShellContext, /) -> None:
    """List the layers of the target's files with their sizes and what made them, the topmost first."""
    container = shell.access.container
    if not container.image:
        raise Unsupported(f"{shell.name} was made from no image")
    found = run_now(find(shell.engine(), container.id if container.state.status != IMAGE else "", container.image))
    if shell.json:
        write_json(found)
        return
    write_table(COLUMNS, [[Cell(size(one.size)), Cell(one.id[7:19], "dim"), Cell(one.made_by)] for one in found])


async def find(engine: EngineClient, container: str, image: str) -> list[LayerRow]:
    """Return the layers of a container and its image; of an image alone when there is no container."""
    async with engine:
        own = (await engine.containers.inspect(container, size=True)).size_rw if container else None
        history = await engine.images.history(image)
    layers = [
        LayerRow(
            size=one.size,
            id="" if one.id == "<missing>" else one.id,
            made_by=" ".join((one.created_by or one.comment).removeprefix("/bin/sh -c #(nop)").split()),
        )
        for one in history
    ]
    return [LayerRow(size=own or 0, id="", made_by="the container itself"), *layers] if container else layers
