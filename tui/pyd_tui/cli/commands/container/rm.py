"""`pyd rm`."""

from __future__ import annotations

import click

from pyd_tui.cli.objects.bulk import run_on_each_container
from pyd_tui.cli.objects.names import ContainerName
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state


@click.command(
    "rm",
    cls=PydCommand,
    examples=(
        ("pyd rm old", "remove a stopped container"),
        ("pyd rm -f -v web", "kill it first, and remove its anonymous volumes"),
        ("pyd rm $(pyd ps -qa -f status=exited)", "remove all exited containers"),
    ),
)
@click.argument("names", nargs=-1, required=True, type=ContainerName(), metavar="CONTAINER...")
@click.option("-f", "--force", is_flag=True, help="Kill running containers first.")
@click.option("-v", "--volumes", is_flag=True, help="Remove anonymous volumes too.")
@click.option("-l", "--link", is_flag=True, help="Remove the link of this name, not the container.")
@pass_state
def command(state: State, /, *, names: tuple[str, ...], force: bool, volumes: bool, link: bool) -> int:
    """Remove one or more containers; running ones need -f."""
    from pyd_core.client.provider import removal_of

    return run_on_each_container(
        state,
        names,
        lambda engine, name: removal_of(engine).remove(name, force=force, volumes=volumes, link=link),
    )
