"""`pyd service rm`."""

from __future__ import annotations

import click

from pyd_tui.cli.objects.bulk import keep_name, run_on_each
from pyd_tui.cli.swarm.names import ServiceName
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state


@click.command("rm", cls=PydCommand, examples=(("pyd service rm web", "remove a service and its tasks"),))
@click.argument("names", nargs=-1, required=True, type=ServiceName(), metavar="SERVICE...")
@pass_state
def command(state: State, /, *, names: tuple[str, ...]) -> int:
    """Remove one or more services and their tasks."""
    return run_on_each(state, names, lambda engine, name: engine.services.remove(name), resolve=keep_name)
