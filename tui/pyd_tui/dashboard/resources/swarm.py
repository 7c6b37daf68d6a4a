"""Shared parts of the swarm's views: the manager that they ask, and tasks as lines."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from pyd_core.client.capabilities import Capability
from pyd_core.client.engine_client import EngineClient
from pyd_core.humanize import coarse_age
from pyd_core.model.base import parse_time
from pyd_core.model.node import Node
from pyd_core.model.task import Task
from pyd_tui.dashboard.render.figures import Clock, moment
from pyd_tui.dashboard.render.pieces import Cell, Role, Span, cell, fit

if TYPE_CHECKING:
    from pyd_tui.dashboard.resources.base import LoadContext

MAX_TASKS = 32
"""The number of tasks whose logs are merged: each is a request to the manager."""

TASK_DELAY_S = 3.0
"""The time until a manager knows the state of a task whose container has ended, in seconds."""

DAY_S = 86_400
MAX_SKEW_S = 120
"""The seconds that a manager's clock may be ahead."""
_EXIT = re.compile(r"task: non-zero exit \((?P<code>\d{1,3})\)")

_STATES: dict[str, tuple[str, Role]] = {
    "running": ("●", "good"),
    "complete": ("✓", "good"),
    "failed": ("✗", "bad"),
    "pending": ("◌", "warn"),
    "rejected": ("✗", "bad"),
    "orphaned": ("✗", "warn"),
    "shutdown": ("○", "dim"),
    "remove": ("○", "dim"),
}


async def in_swarm(context: LoadContext) -> EngineClient:
    """Return the engine if it manages a swarm.

    Raises:
        Unsupported: The engine doesn't manage a swarm.
    """
    engine = context.engine
    if not await engine.can(Capability.SWARM_MANAGER):
        engine.api.renegotiate()  # it may have become one since
        await engine.require(Capability.SWARM_MANAGER)
    return engine


async def tasks_of(context: LoadContext, services: Mapping[str, str]) -> dict[str, str]:
    """Return the names of the services' tasks that have started, by id.

    Args:
        context: The data of the engine.
        services: The names of the services, by id.
    """
    engine = await in_swarm(context)
    tasks = await engine.tasks.list(filters={"service": [*services]})
    started = [task for task in tasks if task.container_id]
    started.sort(key=lambda task: (task.status.state != "running", -(parse_time(task.status.timestamp) or 0)))
    kept = started[:MAX_TASKS]
    return {task.id: f"{services.get(task.service_id, '')}.{task.slot or task.node_id[:12]}" for task in kept}


def state(task: Task) -> Cell:
    """Return the state of a task, with its shape and colour."""
    shape, role = _STATES.get(task.status.state, ("…", "warn"))
    return (Span(f"{shape} ", role), *cell(task.status.state, role))


def error_text(task: Task) -> str:
    """Return why a task ended or waits; swarmkit's sentence about an exit code in short."""
    exit_code = _EXIT.fullmatch(task.status.err)
    return f"exit {exit_code['code']}" if exit_code is not None else task.status.err


def since_text(task: Task, clock: Clock) -> str:
    """Return since when a task has its state: as an age in the first day, then as a date."""
    since = parse_time(task.status.timestamp)
    if since is None:
        return ""
    seconds = (clock.now() - since) / 1e9
    return coarse_age(seconds) if -MAX_SKEW_S < seconds < DAY_S else moment(since, clock)


def task_line(task: Task, nodes: Mapping[str, Node], clock: Clock) -> Cell:
    """Return the line of a task below its service."""
    node = nodes.get(task.node_id)
    return (
        Span(" "),
        *fit(cell(f"{task.slot}" if task.slot else "·", "dim"), 4, right=True),
        Span("  "),
        *fit(state(task), 12),
        Span("  "),
        *fit(cell(node.name if node is not None else task.node_id[:12]), 20),
        Span("  "),
        *fit(cell(since_text(task, clock), "dim"), 8, right=True),
        *cell(f"  {error_text(task)}" if task.status.err else "", "bad"),
    )
