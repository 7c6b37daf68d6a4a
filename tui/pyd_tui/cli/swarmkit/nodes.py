"""`pyd node ls|update|promote|demote|rm`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from pyd_core.client.engine_client import EngineClient
from pyd_core.cliparse.fields import pairs
from pyd_core.model.node import Node
from pyd_tui.cli.bulk import act, as_named
from pyd_tui.cli.filters import parse_filters
from pyd_tui.cli.global_options import State, pass_state
from pyd_tui.cli.swarmkit.names import NodeName
from pyd_tui.console.command import Verb
from pyd_tui.console.listing import TableListing, list_options


def _fields(found: tuple[Node, bool], full: bool) -> Mapping[str, Any]:  # noqa: ARG001 - ids aren't shortened
    node, here = found
    manager = node.manager_status
    return {
        "ID": node.id,
        "Self": here,
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


@click.command("ls", cls=Verb, examples=(("pyd node ls -f role=manager", "managers alone"),))
@list_options
@pass_state
def listed(state: State, /, *, filters: tuple[str, ...], quiet: bool, full: bool, format: str) -> None:
    """List the machines of the swarm."""
    chosen = parse_filters(filters)

    async def work(engine: EngineClient) -> tuple[list[Node], str]:
        return await engine.nodes.list(filters=chosen), (await engine.system.info()).swarm.node_id

    found, here = state.ask(work)
    if state.json and not quiet and not format:
        from pyd_tui.console.output import write_json  # noqa: PLC0415 - only for JSON

        write_json(found)
        return
    LISTING.write(state, [(node, node.id == here) for node in found], quiet=quiet, full=full, format=format)


nodes_argument = click.argument("names", nargs=-1, required=True, type=NodeName(), metavar="NODE...")


async def node_id(engine: EngineClient, name: str) -> str:
    """Returns the id of a node by host name, id or `self`."""
    if name == "self":
        return (await engine.system.info()).swarm.node_id
    return (await engine.nodes.inspect(name)).id


@click.command("update", cls=Verb, examples=(("pyd node update --availability drain a", "no tasks there any more"),))
@nodes_argument
@click.option("--availability", type=click.Choice(("active", "pause", "drain")), help="Whether it takes tasks.")
@click.option("--role", type=click.Choice(("worker", "manager")), help="What it is.")
@click.option("--label-add", multiple=True, metavar="NAME=VALUE", help="Set a label.")
@click.option("--label-rm", multiple=True, metavar="NAME", help="Take a label away.")
@pass_state
def update(
    state: State,
    /,
    *,
    names: tuple[str, ...],
    availability: str | None,
    role: str | None,
    label_add: tuple[str, ...],
    label_rm: tuple[str, ...],
) -> int:
    """Change role, availability and labels of machines."""

    def change(spec: dict[str, Any]) -> None:
        if availability:
            spec["Availability"] = availability
        if role:
            spec["Role"] = role
        labels = {**(spec.get("Labels") or {}), **pairs(label_add)}
        spec["Labels"] = {name: value for name, value in labels.items() if name not in label_rm}

    return act(state, names, lambda engine, name: engine.nodes.edit(name, change), resolve=node_id)


def _become(role: str, summary: str) -> Verb:
    def change(spec: dict[str, Any]) -> None:
        spec["Role"] = role

    @click.command("", cls=Verb, help=summary, examples=((f"pyd node {_word(role)} a b", summary.lower()),))
    @nodes_argument
    @pass_state
    def command(state: State, /, *, names: tuple[str, ...]) -> int:
        return act(state, names, lambda engine, name: engine.nodes.edit(name, change), resolve=node_id)

    command.name = _word(role)
    return command


def _word(role: str) -> str:
    return "promote" if role == "manager" else "demote"


promote = _become("manager", "Make workers managers.")
demote = _become("worker", "Make managers workers.")


@click.command("rm", cls=Verb, examples=(("pyd node rm a", "one that has left"),))
@nodes_argument
@click.option("-f", "--force", is_flag=True, help="Also one that hasn't left.")
@pass_state
def remove(state: State, /, *, names: tuple[str, ...], force: bool) -> int:
    """Forget machines that left the swarm."""
    return act(state, names, lambda engine, name: engine.nodes.remove(name, force=force), resolve=as_named)
