"""`pyd service ps`."""

from __future__ import annotations

import click

from pyd_core.client.engine_client import EngineClient
from pyd_tui.cli.swarm.names import ServiceName
from pyd_tui.cli.swarm.tasks import NamedTask, named_tasks, write_tasks
from pyd_tui.console.command import PydCommand
from pyd_tui.console.filters import parse_filters
from pyd_tui.console.global_options import State, pass_state
from pyd_tui.console.listing import list_options


@click.command("ps", cls=PydCommand, examples=(("pyd service ps web", "list its tasks, stopped ones included"),))
@click.argument("names", nargs=-1, required=True, type=ServiceName(), metavar="SERVICE...")
@list_options
@pass_state
def command(
    state: State, /, *, names: tuple[str, ...], filters: tuple[str, ...], quiet: bool, full: bool, format: str
) -> None:
    """List the tasks of one or more services."""
    selected = parse_filters(filters) or {}

    async def ask(engine: EngineClient) -> list[NamedTask]:
        ids = [(await engine.services.inspect(name)).id for name in names]
        return await named_tasks(engine, {**selected, "service": ids})

    write_tasks(state, state.ask(ask), quiet=quiet, full=full, format=format)
