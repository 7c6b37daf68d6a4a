"""`pyd context use`."""

from __future__ import annotations

import os

import click

from pyd_core.client.contexts import Contexts
from pyd_tui.cli.objects.contexts import ContextName
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state
from pyd_tui.console.output import write, write_json


@click.command(
    "use",
    cls=PydCommand,
    examples=(
        ("pyd context use server", "make a context the current one"),
        ("pyd context use default", "go back to DOCKER_HOST or the usual sockets"),
    ),
)
@click.argument("name", type=ContextName())
@pass_state
def command(state: State, /, *, name: str) -> None:
    """Set the current context."""
    Contexts.of_user(os.environ).use(name)
    if state.json:
        write_json({"current": name})
    else:
        write(f"{name}\n")
    if os.environ.get("DOCKER_HOST"):
        click.echo("note: DOCKER_HOST is set and takes precedence over contexts", err=True)
