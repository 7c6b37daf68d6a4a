"""The view of a swarm's nodes: their state and the tasks on each."""

from __future__ import annotations

from pyd_core.client.provider import engine_of
from pyd_core.dockerfile.platforms import normalize
from pyd_core.humanize import compact_size
from pyd_core.model.base import parse_time
from pyd_core.model.node import Node
from pyd_core.model.task import Task
from pyd_tui.dashboard.render.facts import block, fact
from pyd_tui.dashboard.render.figures import Clock, full_moment
from pyd_tui.dashboard.render.layout import LayoutColumn
from pyd_tui.dashboard.render.pieces import EMPTY, Cell, Role, Span, cell, fit
from pyd_tui.dashboard.resources.base import LoadContext, ResourceView, Row
from pyd_tui.dashboard.resources.services import refreshed_by
from pyd_tui.dashboard.resources.swarm import TASK_DELAY_S, in_swarm, state

COLUMNS = (
    LayoutColumn(key="name", title="NAME", min_width=14, max_width=40, priority=0),
    LayoutColumn(key="state", title="STATE", min_width=12, max_width=14, priority=0),
    LayoutColumn(key="use", title="GETS TASKS", min_width=10, max_width=10, priority=2),
    LayoutColumn(key="role", title="ROLE", min_width=8, max_width=18, priority=1),
    LayoutColumn(key="tasks", title="TASKS", min_width=5, max_width=5, priority=3, right=True),
    LayoutColumn(key="cpus", title="CPUS", min_width=4, max_width=5, priority=5, right=True),
    LayoutColumn(key="memory", title="MEM", min_width=5, max_width=5, priority=5, right=True),
    LayoutColumn(key="engine", title="ENGINE", min_width=8, max_width=18, priority=6),
    LayoutColumn(key="address", title="ADDRESS", min_width=10, max_width=40, priority=4),
)
_USES: dict[str, tuple[str, Role]] = {
    "active": ("yes", "text"),
    "pause": ("no more", "warn"),
    "drain": ("no", "warn"),
}


def row(node: Node, tasks: list[Task]) -> Row:
    """Return the row of a node; `tasks` are those on it."""
    good = node.status.state == "ready"
    word, role = _USES.get(node.spec.availability, (node.spec.availability, "warn"))
    manager = node.manager_status
    rank = "leader" if manager is not None and manager.leader else node.spec.role
    unreachable = manager is not None and manager.reachability not in {"", "reachable"}
    running = sum(task.status.state == "running" for task in tasks)
    resources = node.description.resources
    cells = (
        cell(node.name, "strong"),
        (Span("● " if good else "✗ ", "good" if good else "bad"), *cell(node.status.state, "good" if good else "bad")),
        cell(word, role),
        (*cell(rank), *(cell(" unreachable", "bad") if unreachable else EMPTY)),
        cell(str(running)),
        cell(f"{resources.nano_cpus / 1e9:g}", "dim"),
        cell(compact_size(resources.memory_bytes), "dim"),
        cell(node.description.engine.engine_version, "dim"),
        cell(node.status.addr, "dim"),
    )
    return Row(key=node.id, name=node.name, cells=cells, thing=(node, tasks), words=node.id)


async def _load(context: LoadContext) -> list[Row]:
    engine = await in_swarm(context)
    tasks = await engine.tasks.list()
    nodes = sorted(await engine.nodes.list(), key=lambda node: (node.manager_status is None, node.name))
    return [row(node, [task for task in tasks if task.node_id == node.id]) for node in nodes]


async def _about(context: LoadContext, row: Row) -> list[Cell]:
    assert isinstance(row.thing, tuple)  # noqa: S101 - what `row` put there
    services = {service.id: service.spec.name for service in await (await in_swarm(context)).services.list()}
    return about(*row.thing, services=services, clock=context.clock)


def about(node: Node, tasks: list[Task], *, services: dict[str, str], clock: Clock) -> list[Cell]:
    """Return the details of one node; `services` are names by id."""
    platform = node.description.platform
    joined = parse_time(node.created_at)
    facts = [
        fact("host", cell(node.description.hostname)),
        fact("platform", cell(str(normalize(platform.os, platform.architecture)))),
        *([fact("manager", cell(node.manager_status.addr))] if node.manager_status is not None else []),
        *([fact("says", cell(node.status.message, "warn"))] if node.status.message else []),
        *([fact("joined", cell(full_moment(joined, clock)))] if joined is not None else []),
        fact("ID", cell(node.id, "dim")),
        *(fact("label", cell(f"{name}={value}", "dim")) for name, value in node.spec.labels.items()),
    ]
    lines = [
        (
            Span(" "),
            *fit(state(task), 12),
            Span("  "),
            *cell(f"{services.get(task.service_id, '?')}.{task.slot or node.name}"),
        )
        for task in sorted(tasks, key=lambda task: (task.status.state != "running", services.get(task.service_id, "")))
    ]
    return block("Node", facts)[1:] + block("Tasks on it", lines or [(Span(" none", "dim"),)])


NODES = ResourceView(
    name="nodes",
    delay_s=TASK_DELAY_S,
    columns=COLUMNS,
    load=_load,
    about=_about,
    refreshed_by=refreshed_by,
    empty="no nodes",
    remove=lambda engine, row: engine_of(engine).nodes.remove(row.key),
)
