"""`pyd swarm unlock|unlock-key`."""

from __future__ import annotations

import sys

import click

from pyd_core.client.engine_client import EngineClient
from pyd_core.errors import InvalidInput
from pyd_core.sanitise import safe
from pyd_tui.cli.global_options import State, pass_state
from pyd_tui.console.command import Verb
from pyd_tui.console.output import write, write_json


@click.command("unlock", cls=Verb, examples=(("pyd swarm unlock", "asks for the key of `pyd swarm unlock-key`"),))
@pass_state
def unlock(state: State, /) -> None:
    """Unlock this manager; the key is asked for, or read from standard input."""
    asked = sys.stdin.isatty()
    key = click.prompt("Enter unlock key", hide_input=True, err=True) if asked else sys.stdin.readline()
    if not key.strip():
        raise InvalidInput("there is no key", hint="another manager shows it: pyd swarm unlock-key")
    state.ask(lambda engine: engine.swarm.unlock(key.strip()))
    if state.json:
        write_json({"unlocked": True})


@click.command("unlock-key", cls=Verb, examples=(("pyd swarm unlock-key -q", "the key alone"),))
@click.option("-q", "--quiet", is_flag=True, help="Only the key.")
@click.option("--rotate", is_flag=True, help="Make a new one first; managers that are locked still need the old one.")
@pass_state
def unlock_key(state: State, /, *, quiet: bool, rotate: bool) -> None:
    """Show the key that a manager needs when it starts again."""

    async def work(engine: EngineClient) -> str:
        if rotate:
            await engine.swarm.edit(lambda _: None, rotate="unlock-key")
        return await engine.swarm.unlock_key()

    key = state.ask(work)
    if not key:
        raise InvalidInput("no unlock key is set", hint="pyd swarm update --autolock has managers lock")
    if state.json:
        write_json({"key": key})
    elif quiet:
        write(f"{safe(key)}\n")
    else:
        write(f"To unlock a manager that started again, run `pyd swarm unlock` there with:\n\n    {safe(key)}\n")
