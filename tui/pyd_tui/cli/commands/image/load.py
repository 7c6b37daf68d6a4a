"""`pyd load`."""

from __future__ import annotations

import sys

import click

from pyd_core.client.engine_client import EngineClient
from pyd_core.sanitise import safe
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state
from pyd_tui.console.output import write, write_json


@click.command(
    "load",
    cls=PydCommand,
    examples=(
        ("pyd load -i both.tar", "load from a file"),
        ("zcat both.tar.gz | pyd load", "load from standard input"),
    ),
)
@click.option("-i", "--input", "file", metavar="FILE", help="Read from a file instead of standard input.")
@click.option("-q", "--quiet", is_flag=True, help="Suppress progress output.")
@pass_state
def command(state: State, /, *, file: str | None, quiet: bool) -> None:
    """Load images from a tar archive that `save` wrote."""
    from pyd_tui.cli.images.transfer import show_progress
    from pyd_tui.cli.objects.archives import open_archive

    async def load(engine: EngineClient) -> list[str]:
        with open_archive(file) as archive:
            async with engine.images.load(archive, quiet=quiet) as progress:
                return await show_progress(progress, None if quiet or state.json else sys.stdout)

    statuses = state.run(load)
    if state.json:
        write_json([line.partition(": ")[2] for line in statuses if line.startswith("Loaded image")])
    elif quiet:
        write("".join(f"{safe(line)}\n" for line in statuses))
