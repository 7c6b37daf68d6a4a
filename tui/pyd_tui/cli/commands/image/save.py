"""`pyd save`: images as a tar."""

from __future__ import annotations

import click

from pyd_core.client.engine_client import EngineClient
from pyd_tui.cli.global_options import State, pass_state
from pyd_tui.cli.object_names import ImageName
from pyd_tui.console.command import Verb


@click.command(
    "save",
    cls=Verb,
    json=False,
    examples=(
        ("pyd save -o both.tar web db", "two images in a file"),
        ("pyd save web | ssh server pyd load", "to another machine"),
    ),
)
@click.argument("names", nargs=-1, required=True, type=ImageName(), metavar="IMAGE...")
@click.option("-o", "--output", metavar="FILE", help="Write there instead of standard output.")
@pass_state
def command(state: State, /, *, names: tuple[str, ...], output: str | None) -> None:
    """Write images with all their layers and names as a tar, which `load` reads."""
    from pyd_tui.cli.archives import receive  # noqa: PLC0415 - asyncio, which help and completion don't need

    async def save(engine: EngineClient) -> None:
        async with engine.images.save(names) as stream:
            await receive(stream.chunks(), output)

    state.run(save)
