"""`pyd service rollback`."""

from __future__ import annotations

import click

from pyd_tui.cli.objects.bulk import keep_name, run_on_each
from pyd_tui.cli.swarm.names import ServiceName
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state


@click.command("rollback", cls=PydCommand, examples=(("pyd service rollback web", "undo the last update"),))
@click.argument("name", type=ServiceName(), metavar="SERVICE")
@click.option("-d", "--detach", is_flag=True, hidden=True, expose_value=False, help="No effect: always on.")
@click.option("-q", "--quiet", is_flag=True, hidden=True, expose_value=False, help="No effect: always on.")
@pass_state
def command(state: State, /, *, name: str) -> int:
    """Revert a service to its configuration before the last update."""
    return run_on_each(state, [name], lambda engine, service: engine.services.rollback(service), resolve=keep_name)
