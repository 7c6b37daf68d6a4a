"""`pyd export`."""

from __future__ import annotations

import click

from pyd_core.client.engine_client import EngineClient
from pyd_tui.cli.objects.bulk import container_id
from pyd_tui.cli.objects.names import ContainerName
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state


@click.command(
    "export",
    cls=PydCommand,
    json=False,
    examples=(
        ("pyd export web -o web.tar", "export to a file"),
        ("pyd export web | tar -t", "export to another program"),
    ),
)
@click.argument("name", type=ContainerName(), metavar="CONTAINER")
@click.option("-o", "--output", metavar="FILE", help="Write to a file instead of standard output.")
@pass_state
def command(state: State, /, *, name: str, output: str | None) -> None:
    """Export a container's file system, without its volumes, as a tar archive."""
    from pyd_tui.cli.objects.archives import write_archive

    async def export(engine: EngineClient) -> None:
        container = await container_id(engine, name)
        async with engine.containers.export(container) as stream:
            await write_archive(stream.chunks(), output)

    state.run(export)
