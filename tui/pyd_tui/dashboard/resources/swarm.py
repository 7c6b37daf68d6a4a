"""What the views of a swarm have in common: the manager they ask, and a task in a line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pyd_core.client.capabilities import Capability
from pyd_core.client.engine_client import EngineClient
from pyd_core.model.base import parse_time
from pyd_core.model.node import Node
from pyd_core.model.task import Task
from pyd_tui.dashboard.render.figures import Clock, moment
from pyd_tui.dashboard.render.pieces import Cell, Role, Span, cell, fit

if TYPE_CHECKING:
    from pyd_tui.dashboard.resources.base import LoadContext

MOST_TASKS = 32
"""Tasks whose logs are read as one: each is a request to the manager."""

LAG = 3.0
"""Seconds until a manager knows what has become of a task whose container ended."""

_STATES: dict[str, tuple[str, Role]] = {
    "running": ("●", "good"),
    "complete": ("✓", "good"),
    "failed": ("✗", "bad"),
    "rejected": ("✗", "bad"),
    "orphaned": ("✗", "warn"),
    "shutdown": ("○", "dim"),
    "remove": ("○", "dim"),
}


async def in_swarm(stock: LoadContext) -> EngineClient:
    """Returns the engine if it manages a swarm.

    Raises:
        Unsupported: It doesn't.
    """
    engine = stock.engine
    if not await engine.can(Capability.SWARM_MANAGER):
        engine.api.renegotiate()  # it may have become one since
        await engine.require(Capability.SWARM_MANAGER)
    return engine


async def tasks_of(stock: LoadContext, services: Mapping[str, str]) -> dict[str, str]:
    """Returns the names of the tasks of services that have printed anything, by their ids.

    Args:
        stock: Whose engine is asked.
        services: The services' names by their ids.
    """
    engine = await in_swarm(stock)
    found = await engine.tasks.list(filters={"service": [*services]})
    begun = [task for task in found if task.container_id]
    begun.sort(key=lambda task: (task.status.state != "running", -(parse_time(task.status.timestamp) or 0)))
    kept = begun[:MOST_TASKS]
    return {task.id: f"{services.get(task.service_id, '')}.{task.slot or task.node_id[:12]}" for task in kept}


def state(task: Task) -> Cell:
    """Says how a task does, by shape, word and colour."""
    shape, role = _STATES.get(task.status.state, ("…", "warn"))
    return (Span(f"{shape} ", role), *cell(task.status.state, role))


def task_line(task: Task, nodes: Mapping[str, Node], clock: Clock) -> Cell:
    """Writes a task as a line among those of its service."""
    node = nodes.get(task.node_id)
    since = parse_time(task.status.timestamp)
    return (
        Span(" "),
        *fit(cell(f"{task.slot}" if task.slot else "·", "dim"), 4, right=True),
        Span("  "),
        *fit(state(task), 12),
        Span("  "),
        *fit(cell(node.name if node is not None else task.node_id[:12]), 20),
        Span("  "),
        *fit(cell(moment(since, clock) if since is not None else "", "dim"), 8, right=True),
        *cell(f"  {task.status.err}" if task.status.err else "", "bad"),
    )
