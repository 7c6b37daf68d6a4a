"""`pyd save`."""

from __future__ import annotations

import click

from pyd_core.client.engine_client import EngineClient
from pyd_tui.cli.objects.names import ImageName
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state


@click.command(
    "save",
    cls=PydCommand,
    json=False,
    examples=(
        ("pyd save -o both.tar web db", "save two images to a file"),
        ("pyd save web | ssh server pyd load", "copy an image to another machine"),
    ),
)
@click.argument("names", nargs=-1, required=True, type=ImageName(), metavar="IMAGE...")
@click.option("-o", "--output", metavar="FILE", help="Write to a file instead of standard output.")
@pass_state
def command(state: State, /, *, names: tuple[str, ...], output: str | None) -> None:
    """Save one or more images, with all layers and names, to a tar archive."""
    from pyd_tui.cli.objects.archives import write_archive

    async def save(engine: EngineClient) -> None:
        async with engine.images.save(names) as stream:
            await write_archive(stream.chunks(), output)

    state.run(save)
