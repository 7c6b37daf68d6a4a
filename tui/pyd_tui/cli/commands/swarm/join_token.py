"""`pyd swarm join-token`."""

from __future__ import annotations

import click

from pyd_core.client.engine_client import EngineClient
from pyd_core.sanitise import safe
from pyd_tui.cli.swarm.settings import PORT
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state
from pyd_tui.console.output import write, write_json


@click.command("join-token", cls=PydCommand, examples=(("pyd swarm join-token -q worker", "print only the token"),))
@click.argument("role", type=click.Choice(("worker", "manager")))
@click.option("-q", "--quiet", is_flag=True, help="Only print the token.")
@click.option("--rotate", is_flag=True, help="Rotate the token first; the old one becomes invalid.")
@pass_state
def command(state: State, /, *, role: str, quiet: bool, rotate: bool) -> None:
    """Show or rotate the token that workers or managers join with."""

    async def ask(engine: EngineClient) -> tuple[str, str]:
        if rotate:
            await engine.swarm.edit(lambda _: None, rotate=role)
        tokens = (await engine.swarm.inspect()).join_tokens
        managers = (await engine.system.info()).swarm.remote_managers or []
        return getattr(tokens, role), managers[0].addr if managers else f"HOST:{PORT}"

    token, address = state.ask(ask)
    if state.json:
        write_json({"role": role, "token": token, "address": address})
    elif quiet:
        write(f"{safe(token)}\n")
    else:
        write(f"To add a {role}, run there:\n\n    pyd swarm join --token {safe(token)} {safe(address)}\n")
