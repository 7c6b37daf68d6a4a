"""`pyd cp`: files into containers and out of them."""

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
        ("pyd cp web:/etc/nginx/nginx.conf .", "out of it"),
        ("pyd cp site/. web:/srv", "the content of a directory into it"),
        ("pyd cp web:/var/log - | tar -t", "as a tar"),
        ("tar -c . | pyd cp - web:/srv", "from a tar"),
    ),
)
@click.argument("source", metavar="SOURCE")
@click.argument("target", metavar="TARGET")
@click.option("-a", "--archive", is_flag=True, help="Keep owners, by number.")
@click.option("-L", "--follow-link", "follow", is_flag=True, help="Follow links in SOURCE.")
@click.option("-q", "--quiet", is_flag=True, help="No progress, no word at the end.")
@pass_state
def command(state: State, /, *, source: str, target: str, archive: bool, follow: bool, quiet: bool) -> None:
    """Copy files between a container, running or not, and this machine.

    One side is CONTAINER:PATH; the other a path here, or - for a tar.
    """
    from pyd_tui.cli.containers.copy_files import copy_in, copy_out

    source_parts, target_parts = split_location(source), split_location(target)
    if bool(source_parts[0]) == bool(target_parts[0]):
        problem = "containers on both sides" if source_parts[0] else "no container on either side"
        raise InvalidInput(f"{problem}", hint="write CONTAINER:PATH on one side, a path or - on the other")
    if source_parts[0]:
        state.run(lambda engine: copy_out(engine, *source_parts, target, owners=archive, follow=follow, quiet=quiet))
    else:
        state.run(lambda engine: copy_in(engine, source, *target_parts, owners=archive, follow=follow, quiet=quiet))


def split_location(text: str) -> tuple[str, str]:
    """Divides `CONTAINER:PATH`; a path of this machine has an empty first part.

    What begins with a slash or a dot is a path, whatever colons it has.
    """
    name, colon, path = text.partition(":")
    if not colon or not name or text.startswith(("/", ".")):
        return "", text
    return name, path
