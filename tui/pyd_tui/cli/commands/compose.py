"""`pyd compose`: the installed compose tool, on the chosen engine."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import click

from pyd_core.errors import NotFound, Unsupported
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state

if TYPE_CHECKING:
    from pyd_core.client.endpoint import Endpoint

TOOLS = (("docker", "compose"), ("docker-compose",), ("podman-compose",))
"""Compose tools, preferred ones first."""


@click.command(
    "compose",
    cls=PydCommand,
    json=False,
    add_help_option=False,
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False, "help_option_names": []},
    examples=(
        ("pyd compose up -d", "run docker compose against the engine that pyd chose"),
        ("pyd -H ssh://me@server compose ps", "run it against another machine"),
    ),
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[ARGUMENT]...")
@click.option("--help", "help_requested", is_flag=True, help="Show this and the tool's own help.")
@pass_state
def command(state: State, /, *, arguments: tuple[str, ...], help_requested: bool) -> int:
    """Run docker compose, docker-compose or podman-compose, whichever is installed, on the chosen engine."""
    if help_requested:
        click.echo(click.get_current_context().get_help() + "\n")
        arguments = ("--help",)
    tool = find_tool()
    environment = {**os.environ, **_client_variables(state.endpoint())} if not help_requested else dict(os.environ)
    if state.read_only:
        raise Unsupported(
            "--read-only can't be enforced on another program", hint="run it without --read-only", reference="read-only"
        )
    return subprocess.run([*tool, *arguments], env=environment, check=False).returncode


def find_tool() -> tuple[str, ...]:
    """Return the compose program, with its subcommand if it is a plugin.

    Raises:
        NotFound: None is installed.
    """
    for tool in TOOLS:
        if shutil.which(tool[0]) and (len(tool) == 1 or _has_plugin(tool)):
            return tool
    raise NotFound(
        "no compose tool found: neither docker compose nor docker-compose nor podman-compose",
        hint="install one: apt install docker-compose (or docker-compose-v2, podman-compose)",
        reference="no-compose",
    )


def _has_plugin(tool: tuple[str, ...]) -> bool:
    """Return whether the docker CLI has the plugin."""
    return subprocess.run([*tool, "version"], capture_output=True, check=False).returncode == 0


def _client_variables(endpoint: Endpoint) -> dict[str, str]:
    """Return the environment variables that point a docker client to an engine."""
    variables = {"DOCKER_HOST": endpoint.url, "DOCKER_CONTEXT": ""}
    if endpoint.tls is not None and endpoint.tls.ca is not None:
        variables |= {
            "DOCKER_CERT_PATH": str(endpoint.tls.ca.parent),
            "DOCKER_TLS_VERIFY": "1" if endpoint.tls.verify else "",
        }
    return variables
