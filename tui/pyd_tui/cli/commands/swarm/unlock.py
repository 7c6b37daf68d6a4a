"""`pyd swarm unlock`."""

from __future__ import annotations

import sys

import click

from pyd_core.errors import InvalidInput
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state
from pyd_tui.console.output import write_json


@click.command(
    "unlock", cls=PydCommand, examples=(("pyd swarm unlock", "asks for the key that `pyd swarm unlock-key` shows"),)
)
@pass_state
def command(state: State, /) -> None:
    """Unlock this manager with a key from a prompt or standard input."""
    interactive = sys.stdin.isatty()
    key = click.prompt("Enter unlock key", hide_input=True, err=True) if interactive else sys.stdin.readline()
    if not key.strip():
        raise InvalidInput("no unlock key given", hint="another manager shows it: pyd swarm unlock-key")
    state.ask(lambda engine: engine.swarm.unlock(key.strip()))
    if state.json:
        write_json({"unlocked": True})
