"""`pyd context create`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from pyd_core.client.contexts import Contexts
from pyd_core.client.endpoint import TlsFiles
from pyd_core.errors import InvalidInput
from pyd_core.sanitise import safe
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state
from pyd_tui.console.output import write, write_json

KEYS = {"host", "ca", "cert", "key", "skip-tls-verify"}


@click.command(
    "create",
    cls=PydCommand,
    examples=(
        ("pyd context create server --docker host=ssh://me@server", "connect over SSH"),
        ("pyd context create far --docker host=tcp://far:2376,ca=ca.pem,cert=cert.pem,key=key.pem", "connect over TLS"),
    ),
)
@click.argument("name", metavar="NAME")
@click.option("--docker", "docker", required=True, metavar="KEY=VALUE,…", help="host, ca, cert, key, skip-tls-verify.")
@click.option("--description", default="", metavar="TEXT", help="Description of the context.")
@pass_state
def command(state: State, /, *, name: str, docker: str, description: str) -> None:
    """Create a context."""
    settings = {key: value for key, _, value in (part.partition("=") for part in docker.split(","))}
    unknown = set(settings) - KEYS
    if unknown or not settings.get("host"):
        reason = f"unknown key {safe(min(unknown))!r}" if unknown else "no host"
        raise InvalidInput(f"--docker: {reason}", hint="--docker host=ssh://me@server")
    ca, cert, key = (Path(settings[part]) if part in settings else None for part in ("ca", "cert", "key"))
    tls = TlsFiles(ca=ca, cert=cert, key=key, verify=settings.get("skip-tls-verify", "false") in {"false", "0"})
    Contexts.of_user(os.environ).create(name, settings["host"], description=description, tls=tls)
    if state.json:
        write_json({"name": name, "url": settings["host"]})
    else:
        write(f"{safe(name)}\n")
