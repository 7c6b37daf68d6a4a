"""`pyd logout`."""

from __future__ import annotations

import click

from pyd_core.client.credentials import Logins
from pyd_core.sanitise import safe
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state
from pyd_tui.console.output import write, write_json


@click.command("logout", cls=PydCommand, examples=(("pyd logout reg.example", "remove its stored credentials"),))
@click.argument("server", required=False, default="", metavar="[SERVER]")
@pass_state
def command(state: State, /, *, server: str) -> None:
    """Log out from a registry; by default, from Docker Hub."""
    domain = server.removeprefix("https://").removeprefix("http://").rstrip("/")
    removed = Logins.of_user().remove(domain)
    if state.json:
        write_json({"server": domain or "docker.io", "removed": removed})
    else:
        text = "Removing login credentials for" if removed else "Not logged in to"
        write(f"{text} {safe(domain or 'docker.io')}\n")
