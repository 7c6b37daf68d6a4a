"""`pyd node ls`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from pyd_core.client.engine_client import EngineClient
from pyd_core.model.node import Node
from pyd_tui.console.command import PydCommand
from pyd_tui.console.filters import parse_filters
from pyd_tui.console.global_options import State, pass_state
from pyd_tui.console.listing import TableListing, list_options


def _fields(row: tuple[Node, bool], full: bool) -> Mapping[str, Any]:  # noqa: ARG001 - ids aren't shortened
    node, is_self = row
    manager = node.manager_status
    return {
        "ID": node.id,
        "Self": is_self,
        "Hostname": node.description.hostname,
        "Status": node.status.state.capitalize(),
        "Availability": node.spec.availability.capitalize(),
        "ManagerStatus": "" if manager is None else "Leader" if manager.leader else manager.reachability.capitalize(),
        "EngineVersion": node.description.engine.engine_version,
        "TLSStatus": "Ready",
    }


LISTING = TableListing(
    fields=_fields,
    titles={
        "ID": "ID",
        "Hostname": "HOSTNAME",
        "Status": "STATUS",
        "Availability": "AVAILABILITY",
        "ManagerStatus": "MANAGER STATUS",
        "EngineVersion": "ENGINE VERSION",
    },
    shown=("ID", "Hostname", "Status", "Availability", "ManagerStatus", "EngineVersion"),
)


@click.command("ls", cls=PydCommand, examples=(("pyd node ls -f role=manager", "list managers"),))
@list_options
@pass_state
def command(state: State, /, *, filters: tuple[str, ...], quiet: bool, full: bool, format: str) -> None:
    """List the nodes of the swarm."""
    selected = parse_filters(filters)

    async def work(engine: EngineClient) -> tuple[list[Node], str]:
        return await engine.nodes.list(filters=selected), (await engine.system.info()).swarm.node_id

    nodes, own_id = state.ask(work)
    if state.json and not quiet and not format:
        from pyd_tui.console.output import write_json

        write_json(nodes)
        return
    LISTING.write(state, [(node, node.id == own_id) for node in nodes], quiet=quiet, full=full, format=format)
