"""`pyd logout`: forget the credentials for a registry."""

from __future__ import annotations

import click

from pyd_core.client.credentials import Logins
from pyd_core.sanitise import safe
from pyd_tui.console.command import Verb
from pyd_tui.console.global_options import State, pass_state
from pyd_tui.console.output import write, write_json


@click.command("logout", cls=Verb, examples=(("pyd logout reg.example", "forget what login kept"),))
@click.argument("server", required=False, default="", metavar="[SERVER]")
@pass_state
def command(state: State, /, *, server: str) -> None:
    """Forget the credentials for a registry; without a name for the public one."""
    domain = server.removeprefix("https://").removeprefix("http://").rstrip("/")
    there = Logins.of_user().remove(domain)
    if state.json:
        write_json({"server": domain or "docker.io", "removed": there})
    else:
        words = "Removing login credentials for" if there else "Not logged in to"
        write(f"{words} {safe(domain or 'docker.io')}\n")
