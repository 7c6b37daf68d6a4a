"""`pyd pull`."""

from __future__ import annotations

import sys

import click

from pyd_core.sanitise import safe
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state
from pyd_tui.console.output import write, write_json


@click.command(
    "pull",
    cls=PydCommand,
    examples=(
        ("pyd pull debian:13", "pull an image, with progress for each layer"),
        ("pyd pull -q reg.example/app", "print only its full name"),
        ("pyd pull --platform linux/arm64 debian", "pull for another platform"),
    ),
)
@click.argument("name", metavar="NAME[:TAG|@DIGEST]")
@click.option("-a", "--all-tags", is_flag=True, help="Pull all tags of the repository.")
@click.option("-q", "--quiet", is_flag=True, help="Suppress progress output.")
@click.option("--platform", default="", metavar="OS/ARCHITECTURE", help="Platform to pull.")
@click.option("--disable-content-trust", is_flag=True, expose_value=False, hidden=True, help="No effect.")
@pass_state
def command(state: State, /, *, name: str, all_tags: bool, quiet: bool, platform: str) -> None:
    """Pull an image from a registry."""
    from pyd_tui.cli.images.transfer import pull

    silent = quiet or state.json
    full_name = state.run(
        lambda engine: pull(engine, name, platform=platform or None, quiet=silent, all_tags=all_tags, out=sys.stdout)
    )
    if state.json:
        write_json({"name": full_name})
    else:
        write(f"{safe(full_name)}\n")
