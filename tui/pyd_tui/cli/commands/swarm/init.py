"""`pyd swarm init`."""

from __future__ import annotations

from typing import Any

import click

from pyd_core.client.engine_client import EngineClient
from pyd_core.sanitise import safe
from pyd_tui.cli.swarm.settings import PORT, SwarmSettings, advertise_option, listen_option
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state
from pyd_tui.console.output import write, write_json


@click.command(
    "init",
    cls=PydCommand,
    examples=(("pyd swarm init --advertise-addr 10.0.0.1", "make this engine the first manager of a swarm"),),
)
@advertise_option
@listen_option
@click.option("--autolock", is_flag=True, help="Require an unlock key when a manager restarts.")
@click.option("--task-history-limit", type=int, default=5, metavar="N", help="Stopped tasks kept for each slot.")
@click.option("--cert-expiry", default="2160h", metavar="TIME", help="Validity period of node certificates.")
@click.option("--dispatcher-heartbeat", "heartbeat", default="5s", metavar="TIME", help="Heartbeat period of nodes.")
@pass_state
def command(state: State, /, *, advertise: str, listen: str, **options: Any) -> None:
    """Initialize a swarm with this engine as its first manager."""
    settings = SwarmSettings(**options)
    spec: dict[str, Any] = {}
    settings.apply(spec)

    async def init(engine: EngineClient) -> tuple[str, str, str]:
        node = await engine.swarm.init(advertise=advertise, listen=listen, spec=spec)
        key = await engine.swarm.unlock_key() if settings.autolock else ""
        return node, (await engine.swarm.inspect()).join_tokens.worker, key

    node, token, key = state.ask(init)
    if state.json:
        write_json({"node": node})
        return
    address = advertise if ":" in advertise else f"{advertise or 'ADDRESS'}:{PORT}"
    write(f"Swarm initialized: current node ({safe(node)}) is now a manager.\n\n")
    write(f"To add a worker, run there:\n\n    pyd swarm join --token {safe(token)} {address}\n\n")
    write("To add a manager, see: pyd swarm join-token manager\n")
    if key:
        write(f"\nStore this key; `pyd swarm unlock` needs it when a manager restarts:\n\n    {safe(key)}\n")
