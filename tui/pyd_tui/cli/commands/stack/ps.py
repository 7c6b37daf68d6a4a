"""`pyd stack ps`."""

from __future__ import annotations

import click

from pyd_core.errors import NotFound
from pyd_core.model.service import STACK
from pyd_core.sanitise import safe
from pyd_tui.cli.swarm.names import StackName
from pyd_tui.cli.swarm.tasks import named_tasks, write_tasks
from pyd_tui.console.command import PydCommand
from pyd_tui.console.filters import parse_filters
from pyd_tui.console.global_options import State, pass_state
from pyd_tui.console.listing import list_options


@click.command("ps", cls=PydCommand, examples=(("pyd stack ps shop", "list the tasks of all its services"),))
@click.argument("name", type=StackName(), metavar="STACK")
@list_options
@pass_state
def command(state: State, /, *, name: str, filters: tuple[str, ...], quiet: bool, full: bool, format: str) -> None:
    """List the tasks of a stack."""
    selected = parse_filters(filters) or {}
    label = [*selected.get("label", []), f"{STACK}={name}"]
    tasks = state.ask(lambda engine: named_tasks(engine, {**selected, "label": label}))
    if not tasks:
        raise NotFound(f"nothing found in stack: {safe(name)}", hint="pyd stack ls", reference="no-such-stack")
    write_tasks(state, tasks, quiet=quiet, full=full, format=format)
