"""`pyd context show`."""

from __future__ import annotations

import click

from pyd_core.sanitise import safe
from pyd_tui.cli.objects.contexts import current_context
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state
from pyd_tui.console.output import write, write_json


@click.command("show", cls=PydCommand, examples=(("pyd context show", "print the current context"),))
@pass_state
def command(state: State, /) -> None:
    """Print the name of the current context."""
    current = current_context(state)
    if state.json:
        write_json({"current": current})
    else:
        write(f"{safe(current)}\n")
