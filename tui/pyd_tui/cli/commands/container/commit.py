"""`pyd commit`."""

from __future__ import annotations

import click

from pyd_core.client.engine_client import EngineClient
from pyd_core.client.options import CommitOptions
from pyd_core.model.reference import split_repository_tag
from pyd_core.sanitise import safe
from pyd_tui.cli.objects.bulk import container_id
from pyd_tui.cli.objects.names import ContainerName
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state
from pyd_tui.console.output import write, write_json


@click.command(
    "commit",
    cls=PydCommand,
    examples=(
        ("pyd commit web web:fixed", "commit files and configuration"),
        ('pyd commit -c \'CMD ["/app"]\' -m "with a fix" web', "commit with another command"),
    ),
)
@click.argument("name", type=ContainerName(), metavar="CONTAINER")
@click.argument("reference", required=False, default="", metavar="[REPOSITORY[:TAG]]")
@click.option("-a", "--author", default="", help="Author of the image.")
@click.option("-m", "--message", default="", help="Commit message.")
@click.option("-c", "--change", "changes", multiple=True, metavar="INSTRUCTION", help="Apply a Dockerfile instruction.")
@click.option(
    "-p", "--pause/--no-pause", default=True, help="Pause the container during the commit.", show_default=True
)
@pass_state
def command(
    state: State, /, *, name: str, reference: str, author: str, message: str, changes: tuple[str, ...], pause: bool
) -> None:
    """Create an image from a container's changes."""
    repository, tag = split_repository_tag(reference)
    options = CommitOptions(
        repository=repository, tag=tag, author=author, comment=message, changes=changes, pause=pause
    )

    async def commit(engine: EngineClient) -> str:
        return await engine.containers.commit(await container_id(engine, name), options)

    image_id = state.ask(commit)
    if state.json:
        write_json({"Id": image_id})
    else:
        write(f"{safe(image_id)}\n")
