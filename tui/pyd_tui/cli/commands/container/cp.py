"""`pyd cp`."""

from __future__ import annotations

import click

from pyd_core.errors import InvalidInput
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state


@click.command(
    "cp",
    cls=PydCommand,
    json=False,
    examples=(
        ("pyd cp web:/etc/nginx/nginx.conf .", "copy a file out of a container"),
        ("pyd cp site/. web:/srv", "copy the contents of a directory into a container"),
        ("pyd cp web:/var/log - | tar -t", "stream a tar archive out"),
        ("tar -c . | pyd cp - web:/srv", "stream a tar archive in"),
    ),
)
@click.argument("source", metavar="SOURCE")
@click.argument("target", metavar="TARGET")
@click.option("-a", "--archive", is_flag=True, help="Keep numeric user and group ids.")
@click.option("-L", "--follow-link", "follow", is_flag=True, help="Follow symbolic links in SOURCE.")
@click.option("-q", "--quiet", is_flag=True, help="Suppress the summary.")
@pass_state
def command(state: State, /, *, source: str, target: str, archive: bool, follow: bool, quiet: bool) -> None:
    """Copy files between a container, running or stopped, and the local file system.

    One side is CONTAINER:PATH, the other a local path or - for a tar archive.
    """
    from pyd_tui.cli.containers.copy_files import copy_in, copy_out

    source_parts, target_parts = split_location(source), split_location(target)
    if bool(source_parts[0]) == bool(target_parts[0]):
        problem = "containers on both sides" if source_parts[0] else "no container on either side"
        raise InvalidInput(problem, hint="write CONTAINER:PATH on one side, and a path or - on the other")
    if source_parts[0]:
        state.run_provider(
            lambda engine: copy_out(engine, *source_parts, target, owners=archive, follow=follow, quiet=quiet)
        )
    else:
        state.run_provider(
            lambda engine: copy_in(engine, source, *target_parts, owners=archive, follow=follow, quiet=quiet)
        )


def split_location(text: str) -> tuple[str, str]:
    """Split `CONTAINER:PATH`; the first part of a local path is empty.

    Text that starts with a slash or a dot is a local path, even if it contains colons.
    """
    name, colon, path = text.partition(":")
    if not colon or not name or text.startswith(("/", ".")):
        return "", text
    return name, path
