"""`pyd swarm unlock-key`."""

from __future__ import annotations

import click

from pyd_core.client.engine_client import EngineClient
from pyd_core.errors import InvalidInput
from pyd_core.sanitise import safe
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state
from pyd_tui.console.output import write, write_json


@click.command("unlock-key", cls=PydCommand, examples=(("pyd swarm unlock-key -q", "print only the key"),))
@click.option("-q", "--quiet", is_flag=True, help="Only print the key.")
@click.option("--rotate", is_flag=True, help="Rotate the key first; managers that are locked still need the old one.")
@pass_state
def command(state: State, /, *, quiet: bool, rotate: bool) -> None:
    """Show or rotate the key that a manager needs when it restarts."""

    async def ask(engine: EngineClient) -> str:
        if rotate:
            await engine.swarm.edit(lambda _: None, rotate="unlock-key")
        return await engine.swarm.unlock_key()

    key = state.ask(ask)
    if not key:
        raise InvalidInput("no unlock key is set", hint="pyd swarm update --autolock makes managers lock")
    if state.json:
        write_json({"key": key})
    elif quiet:
        write(f"{safe(key)}\n")
    else:
        write(f"To unlock a restarted manager, run `pyd swarm unlock` there with:\n\n    {safe(key)}\n")
