"""`pyd push`."""

from __future__ import annotations

import sys

import click

from pyd_core.sanitise import safe
from pyd_tui.cli.objects.names import ImageName
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state
from pyd_tui.console.output import write, write_json


@click.command(
    "push",
    cls=PydCommand,
    examples=(
        ("pyd push reg.example/app:1.2", "push an image, tagged before by: pyd tag app reg.example/app:1.2"),
        ("pyd push -a reg.example/app", "push all its tags"),
    ),
)
@click.argument("name", type=ImageName(), metavar="NAME[:TAG]")
@click.option("-a", "--all-tags", is_flag=True, help="Push all tags of the repository.")
@click.option("-q", "--quiet", is_flag=True, help="Suppress progress output.")
@click.option("--disable-content-trust", is_flag=True, expose_value=False, hidden=True, help="No effect.")
@pass_state
def command(state: State, /, *, name: str, all_tags: bool, quiet: bool) -> None:
    """Push an image to a registry."""
    from pyd_tui.cli.images.transfer import push

    silent = quiet or state.json
    statuses = state.run(lambda engine: push(engine, name, quiet=silent, all_tags=all_tags, out=sys.stdout))
    if state.json:
        write_json({"name": name, "said": statuses})
    elif quiet:
        write(f"{safe(name)}\n")
