"""`pyd context rm`."""

from __future__ import annotations

import os

import click

from pyd_core.client.contexts import Contexts
from pyd_core.sanitise import safe
from pyd_tui.cli.objects.contexts import ContextName
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state
from pyd_tui.console.output import write, write_json


@click.command("rm", cls=PydCommand, examples=(("pyd context rm server", "remove a context and its certificates"),))
@click.argument("names", nargs=-1, required=True, type=ContextName(), metavar="NAME...")
@click.option("-f", "--force", is_flag=True, help="Remove the current context too.")
@pass_state
def command(state: State, /, *, names: tuple[str, ...], force: bool) -> None:
    """Remove one or more contexts."""
    contexts = Contexts.of_user(os.environ)
    for name in names:
        contexts.remove(name, force=force)
        if not state.json:
            write(f"{safe(name)}\n")
    if state.json:
        write_json({"removed": list(names)})
