"""`pyd service|node|stack ps`: the tasks a swarm runs."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import click

from pyd_core.client.engine_client import EngineClient
from pyd_core.errors import NotFound
from pyd_core.model.base import parse_time
from pyd_core.model.service import STACK
from pyd_core.model.task import Task
from pyd_core.sanitise import safe
from pyd_tui.cli.filters import parse_filters
from pyd_tui.cli.global_options import State, pass_state
from pyd_tui.cli.swarmkit.names import NodeName, ServiceName, StackName
from pyd_tui.cli.swarmkit.nodes import node_id
from pyd_tui.console.command import Verb
from pyd_tui.console.listing import TableListing, list_options
from pyd_tui.console.output import write_json
from pyd_tui.console.render.docker_words import spell_duration

LONGEST_ERROR = 30


class Named(NamedTuple):
    """A task with the names of what it belongs to."""

    task: Task
    service: str
    node: str


def _fields(found: Named, full: bool) -> Mapping[str, Any]:
    task = found.task
    since = parse_time(task.status.timestamp)
    ago = f" {spell_duration(time.time() - since / 1e9).lower()} ago" if since else ""
    error = " ".join(task.status.err.split())
    if error and not full and len(error) > LONGEST_ERROR:
        error = f"{error[: LONGEST_ERROR - 1]}…"
    image = task.spec.container_spec.image
    return {
        "ID": task.id if full else task.id[:12],
        "Name": f"{found.service}.{task.slot or task.node_id}",
        "Image": image if full else image.partition("@")[0],
        "Node": found.node,
        "DesiredState": task.desired_state.capitalize(),
        "CurrentState": f"{task.status.state.capitalize()}{ago}",
        "Error": f'"{error}"' if error else "",
        "Ports": "",
    }


LISTING = TableListing(
    fields=_fields,
    titles={
        "ID": "ID",
        "Name": "NAME",
        "Image": "IMAGE",
        "Node": "NODE",
        "DesiredState": "DESIRED STATE",
        "CurrentState": "CURRENT STATE",
        "Error": "ERROR",
    },
    shown=("ID", "Name", "Image", "Node", "DesiredState", "CurrentState", "Error"),
)


async def named_tasks(engine: EngineClient, filters: Mapping[str, list[str]]) -> list[Named]:
    """Returns tasks with names, by service and slot, the newest first."""
    found = await engine.tasks.list(filters=filters)
    services = {service.id: service.spec.name for service in await engine.services.list()}
    nodes = {node.id: node.description.hostname for node in await engine.nodes.list()}
    found.sort(key=lambda task: parse_time(task.created_at) or 0, reverse=True)
    found.sort(key=lambda task: (services.get(task.service_id, ""), task.slot))
    return [Named(task, services.get(task.service_id, task.service_id), nodes.get(task.node_id, "")) for task in found]


def _write(state: State, found: Sequence[Named], *, quiet: bool, full: bool, format: str) -> None:
    if state.json and not quiet and not format:
        write_json([named.task for named in found])
    else:
        LISTING.write(state, found, quiet=quiet, full=full, format=format)


@click.command("ps", cls=Verb, examples=(("pyd service ps web", "its tasks, ended ones too"),))
@click.argument("names", nargs=-1, required=True, type=ServiceName(), metavar="SERVICE...")
@list_options
@pass_state
def of_services(
    state: State, /, *, names: tuple[str, ...], filters: tuple[str, ...], quiet: bool, full: bool, format: str
) -> None:
    """List the tasks of services."""
    chosen = parse_filters(filters) or {}

    async def work(engine: EngineClient) -> list[Named]:
        ids = [(await engine.services.inspect(name)).id for name in names]
        return await named_tasks(engine, {**chosen, "service": ids})

    _write(state, state.ask(work), quiet=quiet, full=full, format=format)


@click.command("ps", cls=Verb, examples=(("pyd node ps worker-1", "the tasks there"),))
@click.argument("names", nargs=-1, type=NodeName(), metavar="[NODE]...")
@list_options
@pass_state
def of_nodes(
    state: State, /, *, names: tuple[str, ...], filters: tuple[str, ...], quiet: bool, full: bool, format: str
) -> None:
    """List the tasks on machines; without a name on this one."""
    chosen = parse_filters(filters) or {}

    async def work(engine: EngineClient) -> list[Named]:
        return await named_tasks(
            engine, {**chosen, "node": [await node_id(engine, name) for name in names or ("self",)]}
        )

    _write(state, state.ask(work), quiet=quiet, full=full, format=format)


@click.command("ps", cls=Verb, examples=(("pyd stack ps shop", "the tasks of all its services"),))
@click.argument("name", type=StackName(), metavar="STACK")
@list_options
@pass_state
def of_stack(state: State, /, *, name: str, filters: tuple[str, ...], quiet: bool, full: bool, format: str) -> None:
    """List the tasks of a stack."""
    chosen = parse_filters(filters) or {}
    label = [*chosen.get("label", []), f"{STACK}={name}"]
    found = state.ask(lambda engine: named_tasks(engine, {**chosen, "label": label}))
    if not found:
        raise NotFound(f"nothing found in stack: {safe(name)}", hint="pyd stack ls", reference="no-such-stack")
    _write(state, found, quiet=quiet, full=full, format=format)
