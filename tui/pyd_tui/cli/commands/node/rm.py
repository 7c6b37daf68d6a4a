"""`pyd node rm`."""

from __future__ import annotations

import click

from pyd_tui.cli.objects.bulk import keep_name, run_on_each
from pyd_tui.cli.swarm.nodes import nodes_argument
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state


@click.command("rm", cls=PydCommand, examples=(("pyd node rm a", "remove a node that has left the swarm"),))
@nodes_argument
@click.option("-f", "--force", is_flag=True, help="Remove nodes that haven't left the swarm too.")
@pass_state
def command(state: State, /, *, names: tuple[str, ...], force: bool) -> int:
    """Remove one or more nodes from the swarm."""
    return run_on_each(state, names, lambda engine, name: engine.nodes.remove(name, force=force), resolve=keep_name)
