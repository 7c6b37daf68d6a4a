"""`pyd login`: credentials for a registry, stored where the docker CLI stores them."""

from __future__ import annotations

import sys

import click

from pyd_core.client.credentials import Logins, RegistryCredentials, registry_key
from pyd_core.errors import InvalidInput
from pyd_core.sanitise import safe
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state
from pyd_tui.console.output import write, write_json


@click.command(
    "login",
    cls=PydCommand,
    examples=(
        ("pyd login reg.example", "log in with a prompt for name and password"),
        ("pyd login -u me --password-stdin reg.example < secret", "log in from a script"),
    ),
)
@click.argument("server", required=False, default="", metavar="[SERVER]")
@click.option("-u", "--username", default="", help="Username.")
@click.option("-p", "--password", default="", help="Password; visible in the process list.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@pass_state
def command(state: State, /, *, server: str, username: str, password: str, password_stdin: bool) -> None:
    """Log in to a registry; by default, to Docker Hub."""
    domain = server.removeprefix("https://").removeprefix("http://").rstrip("/")
    if password and password_stdin:
        raise InvalidInput("--password and --password-stdin can't be combined")
    if password_stdin:
        if not username:
            raise InvalidInput("--password-stdin needs --username")
        password = sys.stdin.read().rstrip("\r\n")
    elif not (username and password):
        username, password = _prompt(username, password, domain)
    credentials = RegistryCredentials(username=username, password=password, serveraddress=registry_key(domain))
    token = state.ask(lambda engine: engine.images.login(credentials))
    if token:
        credentials = RegistryCredentials(username=username, identitytoken=token, serveraddress=registry_key(domain))
    helper = Logins.of_user().save(domain, credentials)
    if state.json:
        write_json({"server": domain or "docker.io", "username": username, "kept_by": helper or "config.json"})
        return
    write("Login Succeeded\n")
    if not helper:
        sys.stderr.write("note: the password is stored unencrypted in config.json; see credsStore\n")


def _prompt(username: str, password: str, domain: str) -> tuple[str, str]:
    if not sys.stdin.isatty():
        raise InvalidInput(
            "no username and password given, and standard input isn't a terminal", hint="use -u NAME --password-stdin"
        )
    registry = safe(domain) or "docker.io"
    name = username or click.prompt(f"Username for {registry}", err=True)
    return name, password or click.prompt("Password", hide_input=True, err=True)
