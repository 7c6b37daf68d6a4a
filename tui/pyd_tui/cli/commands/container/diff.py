"""`pyd diff`."""

from __future__ import annotations

import click

from pyd_core.client.engine_client import EngineClient
from pyd_core.model.container import FileChange
from pyd_core.sanitise import safe
from pyd_tui.cli.objects.bulk import container_id
from pyd_tui.cli.objects.names import ContainerName
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state
from pyd_tui.console.output import write, write_json

KINDS = {0: "C", 1: "A", 2: "D"}
"""Letters by the Engine API's numbers (`ChangeType`)."""


@click.command(
    "diff",
    cls=PydCommand,
    examples=(
        ("pyd diff web", "list added (A), changed (C) and deleted (D) files"),
        ("pyd diff --json web", "list them for programs"),
    ),
)
@click.argument("name", type=ContainerName(), metavar="CONTAINER")
@pass_state
def command(state: State, /, *, name: str) -> None:
    """Show files changed since a container's image: A added, C changed, D deleted."""

    async def ask(engine: EngineClient) -> list[FileChange]:
        return await engine.containers.changes(await container_id(engine, name))

    changes = state.ask(ask)
    if state.json:
        write_json(changes)
    else:
        write("".join(f"{KINDS.get(change.kind, '?')} {safe(change.path)}\n" for change in changes))
