"""The view of a swarm's tasks: its containers on all nodes, and those that failed before."""

from __future__ import annotations

from pyd_core.model.base import parse_time
from pyd_core.model.node import Node
from pyd_core.model.task import Task
from pyd_tui.dashboard.render.facts import block, fact, sentence_fact
from pyd_tui.dashboard.render.figures import Clock, full_moment
from pyd_tui.dashboard.render.layout import LayoutColumn
from pyd_tui.dashboard.render.pieces import Cell, cell
from pyd_tui.dashboard.resources.base import LoadContext, ResourceView, Row
from pyd_tui.dashboard.resources.services import refreshed_by
from pyd_tui.dashboard.resources.swarm import TASK_DELAY_S, error_text, in_swarm, since_text, state

COLUMNS = (
    LayoutColumn(key="state", title="STATE", min_width=12, max_width=12, priority=0),
    LayoutColumn(key="name", title="TASK", min_width=16, max_width=44, priority=0, whole=True),
    LayoutColumn(key="node", title="NODE", min_width=10, max_width=30, priority=1),
    LayoutColumn(key="wanted", title="WANTED", min_width=8, max_width=9, priority=4),
    LayoutColumn(key="since", title="SINCE", min_width=8, max_width=8, priority=2, right=True),
    LayoutColumn(key="error", title="ERROR", min_width=12, max_width=80, priority=3, optional=True),
    LayoutColumn(key="image", title="IMAGE", min_width=12, max_width=50, priority=5, cut_start=True),
)


def row(task: Task, service: str, node: Node | None, clock: Clock) -> Row:
    """Return the row of a task; `service` is its service's name."""
    since = parse_time(task.status.timestamp)
    name = f"{service}.{task.slot or (node.name if node is not None else task.node_id[:12])}"
    cells = (
        state(task),
        cell(name, "strong" if task.status.state == "running" else "text"),
        cell(node.name if node is not None else task.node_id[:12]),
        cell(task.desired_state, "dim"),
        cell(since_text(task, clock), "dim"),
        cell(error_text(task), "bad"),
        cell(task.spec.container_spec.image.partition("@")[0], "dim"),
    )
    ranks = {"since": float(since)} if since is not None else {}
    return Row(key=task.id, name=name, cells=cells, thing=task, words=f"{task.id} {task.container_id}", ranks=ranks)


async def _load(context: LoadContext) -> list[Row]:
    engine = await in_swarm(context)
    services = {service.id: service.spec.name for service in await engine.services.list()}
    nodes = {node.id: node for node in await engine.nodes.list()}
    rows = [
        row(task, services.get(task.service_id, task.service_id[:12]), nodes.get(task.node_id), context.clock)
        for task in await engine.tasks.list()
    ]
    return sorted(rows, key=lambda row: (_group(_of(row)), row.name, _newest(_of(row))))


def _of(row: Row) -> Task:
    assert isinstance(row.thing, Task)  # noqa: S101 - what `row` put there
    return row.thing


def _group(task: Task) -> int:
    """Return the group of a task in the list: first those that failed or wait, then the running, then the ended."""
    if task.status.state in {"failed", "rejected", "orphaned", "pending"}:
        return 0
    return 1 if task.status.state == "running" else 2


def _newest(task: Task) -> int:
    return -(parse_time(task.status.timestamp) or 0)


async def _about(context: LoadContext, row: Row) -> list[Cell]:
    task = _of(row)
    container = task.status.container_status
    facts = [
        fact("state", state(task), cell(f"  {task.status.message}", "dim")),
        *(sentence_fact("error", task.status.err, context.room, "bad") if task.status.err else []),
        fact("wanted", cell(task.desired_state)),
        fact("image", cell(task.spec.container_spec.image)),
    ]
    if (since := parse_time(task.status.timestamp)) is not None:
        facts.append(fact("since", cell(full_moment(since, context.clock))))
    if container is not None and container.container_id:
        here = container.container_id in context.link.containers
        where = "on this engine; enter opens it" if here else "on its node"
        facts.append(fact("container", cell(container.container_id[:12]), cell(f"  {where}", "dim")))
        if task.status.state != "running":
            facts.append(fact("exit code", cell(str(container.exit_code))))
    facts.append(fact("ID", cell(task.id, "dim")))
    return block("Task", facts)[1:]


async def _logs(context: LoadContext, row: Row) -> dict[str, str]:
    del context
    return {row.key: row.name} if _of(row).container_id else {}


TASKS = ResourceView(
    name="tasks",
    delay_s=TASK_DELAY_S,
    columns=COLUMNS,
    load=_load,
    about=_about,
    refreshed_by=refreshed_by,
    empty="no tasks",
    container=lambda row: _of(row).container_id or None,
    logs=_logs,
)
