"""`pyd rmi`, or `pyd image rm`."""

from __future__ import annotations

import click

from pyd_core.client.provider import Provider, image_removal_of
from pyd_core.errors import EngineUnavailable, PydError
from pyd_core.model.image import Removed
from pyd_core.sanitise import safe
from pyd_tui.cli.objects.names import ImageName
from pyd_tui.console import failures
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state
from pyd_tui.console.output import write, write_json


@click.command(
    "rmi",
    cls=PydCommand,
    examples=(
        ("pyd rmi app:1.1", "remove a tag, and the image if it was the last"),
        ("pyd rmi $(pyd images -qf dangling=true)", "remove all untagged images"),
    ),
)
@click.argument("names", nargs=-1, required=True, type=ImageName(), metavar="IMAGE...")
@click.option("-f", "--force", is_flag=True, help="Remove images of stopped containers too.")
@click.option("--no-prune", is_flag=True, help="Keep untagged parents.")
@pass_state
def command(state: State, /, *, names: tuple[str, ...], force: bool, no_prune: bool) -> int:
    """Remove one or more images."""
    removed_by_name: dict[str, list[Removed]] = {}
    errors: list[PydError] = []

    async def remove(provider: Provider) -> None:
        images = image_removal_of(provider)
        for name in names:
            try:
                removed_by_name[name] = await images.remove(name, force=force, prune=not no_prune)
            except EngineUnavailable:
                raise
            except PydError as error:
                errors.append(error)

    state.ask_provider(remove)
    if state.json:
        write_json([removal for removed in removed_by_name.values() for removal in removed])
    else:
        for removal in (removal for removed in removed_by_name.values() for removal in removed):
            write(
                f"Untagged: {safe(removal.untagged)}\n" if removal.untagged else f"Deleted: {safe(removal.deleted)}\n"
            )
    for error in errors:
        failures.report(error)
    return max(map(failures.exit_code, errors), default=0)
