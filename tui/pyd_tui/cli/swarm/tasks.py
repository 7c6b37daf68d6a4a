"""Tasks of a swarm, as `pyd service ps`, `node ps` and `stack ps` list them."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pyd_core.client.engine_client import EngineClient
from pyd_core.humanize import docker_duration
from pyd_core.model.base import parse_time
from pyd_core.model.task import Task
from pyd_tui.console.global_options import State
from pyd_tui.console.listing import TableListing
from pyd_tui.console.output import write_json

MAX_ERROR_CHARS = 30


class NamedTask(NamedTuple):
    """A task with the names of its service and node."""

    task: Task
    service: str
    node: str


def _fields(named_task: NamedTask, full: bool) -> Mapping[str, Any]:
    task = named_task.task
    since = parse_time(task.status.timestamp)
    ago = f" {docker_duration(time.time() - since / 1e9).lower()} ago" if since else ""
    error = " ".join(task.status.err.split())
    if error and not full and len(error) > MAX_ERROR_CHARS:
        error = f"{error[: MAX_ERROR_CHARS - 1]}…"
    image = task.spec.container_spec.image
    return {
        "ID": task.id if full else task.id[:12],
        "Name": f"{named_task.service}.{task.slot or task.node_id}",
        "Image": image if full else image.partition("@")[0],
        "Node": named_task.node,
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


async def named_tasks(engine: EngineClient, filters: Mapping[str, list[str]]) -> list[NamedTask]:
    """Return tasks and their names, by service and slot, newest first."""
    tasks = await engine.tasks.list(filters=filters)
    services = {service.id: service.spec.name for service in await engine.services.list()}
    nodes = {node.id: node.description.hostname for node in await engine.nodes.list()}
    tasks.sort(key=lambda task: parse_time(task.created_at) or 0, reverse=True)
    tasks.sort(key=lambda task: (services.get(task.service_id, ""), task.slot))
    return [
        NamedTask(task, services.get(task.service_id, task.service_id), nodes.get(task.node_id, "")) for task in tasks
    ]


def write_tasks(state: State, tasks: Sequence[NamedTask], *, quiet: bool, full: bool, format: str) -> None:
    """Write tasks as a table, JSON, ids or filled-in templates."""
    if state.json and not quiet and not format:
        write_json([named.task for named in tasks])
    else:
        LISTING.write(state, tasks, quiet=quiet, full=full, format=format)
