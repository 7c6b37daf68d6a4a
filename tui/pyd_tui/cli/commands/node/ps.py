"""`pyd node ps`."""

from __future__ import annotations

import click

from pyd_core.client.engine_client import EngineClient
from pyd_tui.cli.swarm.names import NodeName
from pyd_tui.cli.swarm.nodes import node_id
from pyd_tui.cli.swarm.tasks import NamedTask, named_tasks, write_tasks
from pyd_tui.console.command import PydCommand
from pyd_tui.console.filters import parse_filters
from pyd_tui.console.global_options import State, pass_state
from pyd_tui.console.listing import list_options


@click.command("ps", cls=PydCommand, examples=(("pyd node ps worker-1", "list the tasks on a node"),))
@click.argument("names", nargs=-1, type=NodeName(), metavar="[NODE]...")
@list_options
@pass_state
def command(
    state: State, /, *, names: tuple[str, ...], filters: tuple[str, ...], quiet: bool, full: bool, format: str
) -> None:
    """List the tasks on one or more nodes; without a name, on this one."""
    selected = parse_filters(filters) or {}

    async def ask(engine: EngineClient) -> list[NamedTask]:
        ids = [await node_id(engine, name) for name in names or ("self",)]
        return await named_tasks(engine, {**selected, "node": ids})

    write_tasks(state, state.ask(ask), quiet=quiet, full=full, format=format)
