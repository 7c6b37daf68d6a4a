"""`pyd stack deploy`: services of a Compose file on a swarm."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pyd_core.sanitise import safe
from pyd_tui.cli.swarm.names import StackName
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state
from pyd_tui.console.output import write, write_json

if TYPE_CHECKING:
    from pyd_core.client.engine_client import EngineClient
    from pyd_core.client.stacks import Deployment, ServiceChange

_MARKS = {"create": "+", "update": "~", "remove": "-", "keep": "="}


@click.command(
    "deploy",
    cls=PydCommand,
    examples=(
        ("pyd stack deploy -c compose.yaml shop", "shows what changes, asks, and does it"),
        ("pyd stack deploy -c compose.yaml --dry-run shop", "only shows it"),
    ),
)
@click.argument("name", type=StackName(), metavar="STACK")
@click.option(
    "-c",
    "--compose-file",
    "files",
    multiple=True,
    required=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A Compose file; several are laid over each other.",
)
@click.option("--prune", is_flag=True, help="Remove services that the file has no longer.")
@click.option("--with-registry-auth", is_flag=True, help="Have nodes pull with your login to the registry.")
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@click.option("-y", "--yes", is_flag=True, help="Don't ask before services that are there are changed or removed.")
@click.option("-d", "--detach", is_flag=True, hidden=True, expose_value=False, help="As it is anyhow.")
@pass_state
def command(
    state: State,
    /,
    *,
    name: str,
    files: tuple[Path, ...],
    prune: bool,
    with_registry_auth: bool,
    dry_run: bool,
    yes: bool,
) -> int:
    """Deploy a Compose file as a stack, after showing what changes.

    On a terminal it asks before a service that is there is changed or removed.
    """
    from pyd_core.client.credentials import Logins
    from pyd_core.client.stacks import compare, deploy
    from pyd_core.cliparse.stack.reading import read_files
    from pyd_core.cliparse.stack.stack import read_stack

    content = read_files(files, os.environ)
    stack = read_stack(name, content, files[0].resolve().parent, os.environ)
    for warning in stack.warnings:
        sys.stderr.write(f"warning: {safe(warning)}\n")
    deployment = state.ask(lambda engine: compare(engine, stack, prune=prune))
    _show(state, deployment)
    if dry_run:
        return 0
    if deployment.has_changes and not yes and sys.stdin.isatty() and not click.confirm("Deploy?", err=True):
        return 1
    credentials = Logins.of_user().for_image if with_registry_auth else None

    async def work(engine: EngineClient) -> None:
        await deploy(engine, deployment, credentials=credentials, progress=_report)

    state.ask(work)
    return 0


def _show(state: State, deployment: Deployment) -> None:
    if state.json:
        write_json(deployment.changes)
        return
    for change in deployment.changes:
        write(f"{_MARKS[change.verb]} {change.kind} {safe(change.name)}\n")
        write("".join(f"    {safe(detail)}\n" for detail in change.details))


def _report(change: ServiceChange) -> None:
    done = {"create": "created", "update": "updated", "remove": "removed"}.get(change.verb)
    if done is not None:
        sys.stderr.write(f"{done} {change.kind} {safe(change.name)}\n")
