"""`pyd swarm update`."""

from __future__ import annotations

from typing import Any

import click

from pyd_tui.cli.swarm.settings import SwarmSettings
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state
from pyd_tui.console.output import write, write_json


@click.command(
    "update", cls=PydCommand, examples=(("pyd swarm update --task-history-limit 1", "keep fewer stopped tasks"),)
)
@click.option("--autolock/--no-autolock", default=None, help="Require an unlock key when a manager restarts.")
@click.option("--task-history-limit", type=int, metavar="N", help="Stopped tasks kept for each slot.")
@click.option("--cert-expiry", metavar="TIME", help="Validity period of node certificates.")
@click.option("--dispatcher-heartbeat", "heartbeat", metavar="TIME", help="Heartbeat period of nodes.")
@pass_state
def command(state: State, /, **options: Any) -> None:
    """Update the settings of the swarm."""
    settings = SwarmSettings(**options)
    state.ask(lambda engine: engine.swarm.edit(settings.apply))
    if state.json:
        write_json({"updated": True})
    else:
        write("Swarm updated.\n")
