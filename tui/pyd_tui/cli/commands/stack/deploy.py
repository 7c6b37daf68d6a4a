"""`pyd stack deploy`."""

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
        ("pyd stack deploy -c compose.yaml shop", "show the changes, ask, and deploy"),
        ("pyd stack deploy -c compose.yaml --dry-run shop", "only show the changes"),
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
    help="Compose file; several are merged.",
)
@click.option("--prune", is_flag=True, help="Remove services that are no longer in the file.")
@click.option("--with-registry-auth", is_flag=True, help="Send registry credentials to the nodes.")
@click.option("--dry-run", is_flag=True, help="Show the changes without applying them.")
@click.option("-y", "--yes", is_flag=True, help="Don't ask before existing services are changed or removed.")
@click.option("-d", "--detach", is_flag=True, hidden=True, expose_value=False, help="No effect: always on.")
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
    """Deploy a Compose file as a stack, after showing the changes.

    On a terminal, it asks before an existing service is changed or removed.
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

    async def apply(engine: EngineClient) -> None:
        await deploy(engine, deployment, credentials=credentials, progress=_report)

    state.ask(apply)
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
