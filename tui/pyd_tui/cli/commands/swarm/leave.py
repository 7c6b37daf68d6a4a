"""`pyd swarm leave`."""

from __future__ import annotations

import click

from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state
from pyd_tui.console.output import write, write_json


@click.command("leave", cls=PydCommand, examples=(("pyd swarm leave --force", "leave even as a manager"),))
@click.option("-f", "--force", is_flag=True, help="Leave even as a manager, whatever the effect on the swarm.")
@pass_state
def command(state: State, /, *, force: bool) -> None:
    """Leave the swarm."""
    state.ask(lambda engine: engine.swarm.leave(force=force))
    if state.json:
        write_json({"left": True})
    else:
        write("Node left the swarm.\n")
