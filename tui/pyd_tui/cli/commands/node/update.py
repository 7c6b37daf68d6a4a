"""`pyd node update`."""

from __future__ import annotations

from typing import Any

import click

from pyd_core.cliparse.fields import parse_pairs
from pyd_tui.cli.objects.bulk import run_on_each
from pyd_tui.cli.swarm.nodes import node_id, nodes_argument
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state


@click.command(
    "update", cls=PydCommand, examples=(("pyd node update --availability drain a", "move all tasks off a node"),)
)
@nodes_argument
@click.option("--availability", type=click.Choice(("active", "pause", "drain")), help="Availability of the node.")
@click.option("--role", type=click.Choice(("worker", "manager")), help="Role of the node.")
@click.option("--label-add", multiple=True, metavar="NAME=VALUE", help="Add or update a node label.")
@click.option("--label-rm", multiple=True, metavar="NAME", help="Remove a node label.")
@pass_state
def command(
    state: State,
    /,
    *,
    names: tuple[str, ...],
    availability: str | None,
    role: str | None,
    label_add: tuple[str, ...],
    label_rm: tuple[str, ...],
) -> int:
    """Update the availability, role and labels of one or more nodes."""

    def change(spec: dict[str, Any]) -> None:
        if availability:
            spec["Availability"] = availability
        if role:
            spec["Role"] = role
        labels = {**(spec.get("Labels") or {}), **parse_pairs(label_add)}
        spec["Labels"] = {name: value for name, value in labels.items() if name not in label_rm}

    return run_on_each(state, names, lambda engine, name: engine.nodes.edit(name, change), resolve=node_id)
