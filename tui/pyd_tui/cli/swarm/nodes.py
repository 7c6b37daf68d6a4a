"""Arguments, ids and roles of a swarm's nodes."""

from __future__ import annotations

from typing import Any, Literal

import click

from pyd_core.client.engine_client import EngineClient
from pyd_tui.cli.objects.bulk import run_on_each
from pyd_tui.cli.swarm.names import NodeName
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state

nodes_argument = click.argument("names", nargs=-1, required=True, type=NodeName(), metavar="NODE...")


async def node_id(engine: EngineClient, name: str) -> str:
    """Return the id of a node, given its host name, its id or `self`."""
    if name == "self":
        return (await engine.system.info()).swarm.node_id
    return (await engine.nodes.inspect(name)).id


def role_command(verb: str, role: Literal["manager", "worker"], help: str) -> PydCommand:
    """Return the command that gives nodes a role."""

    def set_role(spec: dict[str, Any]) -> None:
        spec["Role"] = role

    @click.command(
        verb, cls=PydCommand, help=help, examples=((f"pyd node {verb} a b", help.removesuffix(".").lower()),)
    )
    @nodes_argument
    @pass_state
    def command(state: State, /, *, names: tuple[str, ...]) -> int:
        return run_on_each(state, names, lambda engine, name: engine.nodes.edit(name, set_role), resolve=node_id)

    return command
