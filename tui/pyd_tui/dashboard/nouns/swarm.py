"""What the views of a swarm have in common: the manager they ask, and a task in a line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pyd_core.engine.capabilities import Capability
from pyd_core.engine.client import Engine
from pyd_core.model.base import parse_time
from pyd_core.model.node import Node
from pyd_core.model.task import Task
from pyd_tui.dashboard.render.figures import Clock, moment
from pyd_tui.dashboard.render.pieces import Cell, Piece, Role, cell, fit

if TYPE_CHECKING:
    from pyd_tui.dashboard.nouns.base import Stock

_STATES: dict[str, tuple[str, Role]] = {
    "running": ("●", "good"),
    "complete": ("✓", "good"),
    "failed": ("✗", "bad"),
    "rejected": ("✗", "bad"),
    "orphaned": ("✗", "warn"),
    "shutdown": ("○", "dim"),
    "remove": ("○", "dim"),
}


async def in_swarm(stock: Stock) -> Engine:
    """Returns the engine if it manages a swarm.

    Raises:
        Unsupported: It doesn't.
    """
    engine = stock.engine
    if not await engine.can(Capability.SWARM_MANAGER):
        engine.session.renegotiate()  # it may have become one since
        await engine.require(Capability.SWARM_MANAGER)
    return engine


def state(task: Task) -> Cell:
    """Says how a task does, by shape, word and colour."""
    shape, role = _STATES.get(task.status.state, ("…", "warn"))
    return (Piece(f"{shape} ", role), *cell(task.status.state, role))


def task_line(task: Task, nodes: Mapping[str, Node], clock: Clock) -> Cell:
    """Writes a task as a line among those of its service."""
    node = nodes.get(task.node_id)
    since = parse_time(task.status.timestamp)
    return (
        Piece(" "),
        *fit(cell(f"{task.slot}" if task.slot else "·", "dim"), 4, right=True),
        Piece("  "),
        *fit(state(task), 12),
        Piece("  "),
        *fit(cell(node.name if node is not None else task.node_id[:12]), 20),
        Piece("  "),
        *fit(cell(moment(since, clock) if since is not None else "", "dim"), 8, right=True),
        *cell(f"  {task.status.err}" if task.status.err else "", "bad"),
    )
