"""`pyd swarm join`."""

from __future__ import annotations

import click

from pyd_tui.cli.swarm.settings import advertise_option, listen_option
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state
from pyd_tui.console.output import write, write_json


@click.command(
    "join", cls=PydCommand, examples=(("pyd swarm join --token SWMTKN-1-… 10.0.0.1:2377", "join a swarm as a worker"),)
)
@click.argument("remote", metavar="HOST:PORT")
@click.option("--token", required=True, help="Token that join-token shows.")
@advertise_option
@listen_option
@pass_state
def command(state: State, /, *, remote: str, token: str, advertise: str, listen: str) -> None:
    """Join a swarm through its manager at HOST:PORT."""
    state.ask(lambda engine: engine.swarm.join([remote], token, advertise=advertise, listen=listen))
    if state.json:
        write_json({"joined": remote})
    else:
        write("This node joined a swarm.\n")
