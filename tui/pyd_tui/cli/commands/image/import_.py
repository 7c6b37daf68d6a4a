"""`pyd import`."""

from __future__ import annotations

import sys

import click

from pyd_core.client.engine_client import EngineClient
from pyd_core.client.options import ImportOptions
from pyd_core.model.reference import split_repository_tag
from pyd_core.sanitise import safe
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state
from pyd_tui.console.output import write, write_json


@click.command(
    "import",
    cls=PydCommand,
    examples=(
        ("pyd import rootfs.tar base:1", "import a file"),
        ("tar -c . | pyd import -c 'CMD [\"/app\"]' - app", "import from standard input, and set a command"),
    ),
)
@click.argument("source", metavar="FILE|URL|-")
@click.argument("reference", required=False, default="", metavar="[REPOSITORY[:TAG]]")
@click.option("-c", "--change", "changes", multiple=True, metavar="INSTRUCTION", help="Apply a Dockerfile instruction.")
@click.option("-m", "--message", default="", help="Commit message.")
@click.option("--platform", default="", metavar="OS/ARCHITECTURE", help="Platform of the image.")
@pass_state
def command(
    state: State, /, *, source: str, reference: str, changes: tuple[str, ...], message: str, platform: str
) -> None:
    """Import a tar archive of files, compressed or not, as an image of one layer."""
    from pyd_tui.cli.images.transfer import show_progress
    from pyd_tui.cli.objects.archives import open_archive

    remote = source.startswith(("http://", "https://"))
    repository, tag = split_repository_tag(reference)
    options = ImportOptions(
        source=source if remote else "-",
        repository=repository,
        tag=tag,
        message=message,
        changes=changes,
        platform=platform,
    )

    async def import_image(engine: EngineClient) -> list[str]:
        with open_archive(None if remote or source == "-" else source, empty=remote) as archive:
            async with engine.images.import_(archive, options) as progress:
                return await show_progress(progress, sys.stderr if remote else None)

    statuses = state.run(import_image)
    if state.json:
        write_json({"Id": statuses[-1] if statuses else ""})
    else:
        write(f"{safe(statuses[-1] if statuses else '')}\n")
