"""The view of a swarm's services: their tasks, images and ports."""

from __future__ import annotations

from pyd_core.client.provider import engine_of
from pyd_core.humanize import compact_size
from pyd_core.model.base import parse_time
from pyd_core.model.event import Event
from pyd_core.model.node import Node
from pyd_core.model.service import Service, ServicePort
from pyd_core.model.task import Task
from pyd_tui.dashboard.render.facts import block, fact
from pyd_tui.dashboard.render.figures import Clock, full_moment
from pyd_tui.dashboard.render.layout import LayoutColumn
from pyd_tui.dashboard.render.pieces import Cell, Role, Span, cell
from pyd_tui.dashboard.resources.base import LoadContext, ResourceView, Row
from pyd_tui.dashboard.resources.swarm import TASK_DELAY_S, in_swarm, task_line, tasks_of

COLUMNS = (
    LayoutColumn(key="name", title="NAME", min_width=16, max_width=44, priority=0, whole=True),
    LayoutColumn(key="tasks", title="TASKS", min_width=7, max_width=9, priority=0, right=True),
    LayoutColumn(key="mode", title="MODE", min_width=10, max_width=14, priority=3),
    LayoutColumn(key="update", title="UPDATE", min_width=10, max_width=20, priority=4, optional=True),
    LayoutColumn(key="image", title="IMAGE", min_width=16, max_width=50, priority=1, cut_start=True),
    LayoutColumn(key="stack", title="STACK", min_width=8, max_width=24, priority=5, optional=True),
    LayoutColumn(key="ports", title="PORTS", min_width=10, max_width=40, priority=2, optional=True),
)


def row(service: Service) -> Row:
    """Return the row of a service."""
    status = service.service_status
    running, desired = (status.running_tasks, status.desired_tasks) if status is not None else (0, 0)
    role: Role = "good" if running >= desired else "bad" if not running else "warn"
    update = service.update_status
    state = update.state if update is not None else ""
    cells = (
        cell(service.spec.name, "strong"),
        (Span(f"{running}", role), Span(f"/{desired}", "dim")) if status is not None else (Span("?", "dim"),),
        cell(service.spec.mode.name, "dim"),
        cell(state.replace("_", " "), "dim" if state in {"", "completed"} else "warn"),
        cell(service.spec.task_template.container_spec.image.partition("@")[0]),
        cell(service.stack, "info"),
        cell(", ".join(map(port, service.endpoint.ports)), "dim"),
    )
    return Row(key=service.id, name=service.spec.name, cells=cells, thing=service, words=service.id)


def port(published: ServicePort) -> str:
    """Return a port as text, the published side first."""
    protocol = "" if published.protocol == "tcp" else f"/{published.protocol}"
    mode = " (host)" if published.publish_mode == "host" else ""
    return f"{published.published_port or '-'}→{published.target_port}{protocol}{mode}"


async def _load(context: LoadContext) -> list[Row]:
    engine = await in_swarm(context)
    return [row(service) for service in sorted(await engine.services.list(), key=lambda service: service.spec.name)]


async def _about(context: LoadContext, row: Row) -> list[Cell]:
    assert isinstance(row.thing, Service)  # noqa: S101 - what `row` put there
    engine = await in_swarm(context)
    tasks = await engine.tasks.list(filters={"service": [row.key]})
    nodes = {node.id: node for node in await engine.nodes.list()}
    return about(row.thing, tasks, nodes, context.clock)


def about(service: Service, tasks: list[Task], nodes: dict[str, Node], clock: Clock) -> list[Cell]:
    """Return the details of one service."""
    spec, template = service.spec, service.spec.task_template
    container, limits = template.container_spec, template.resources.limits
    created, changed = parse_time(service.created_at), parse_time(service.updated_at)
    command = " ".join([*container.command, *container.args])
    limit_texts = [f"{limits.nano_cpus / 1e9:g} processors"] if limits.nano_cpus else []
    limit_texts += [compact_size(limits.memory_bytes)] if limits.memory_bytes else []
    facts = [
        fact("image", cell(container.image)),
        *([fact("runs", cell(command))] if command else []),
        *([fact("at most", cell(", ".join(limit_texts)))] if limit_texts else []),
        *(fact("port", cell(port(published))) for published in service.endpoint.ports),
        *(fact("mount", cell(mount.target), cell(f" ← {mount.source}", "dim")) for mount in container.mounts),
        *(fact("secret", cell(secret.secret_name)) for secret in container.secrets),
        *(fact("config", cell(config.config_name)) for config in container.configs),
        *(fact("only where", cell(rule)) for rule in template.placement.constraints),
        fact("restart", cell(template.restart_policy.condition or "any")),
    ]
    if created is not None:
        facts.append(fact("created", cell(full_moment(created, clock))))
    if changed is not None and changed != created:
        facts.append(fact("changed", cell(full_moment(changed, clock))))
    if service.update_status is not None and service.update_status.message:
        facts.append(fact("update", cell(service.update_status.message)))
    facts.append(fact("ID", cell(service.id, "dim")))
    facts += [fact("label", cell(f"{name}={value}", "dim")) for name, value in spec.labels.items()]
    order = sorted(tasks, key=lambda task: (task.desired_state != "running", task.slot, task.node_id, task.created_at))
    lines = [task_line(task, nodes, clock) for task in order]
    return block("Service", facts)[1:] + block("Tasks", lines or [(Span(" none", "dim"),)])


def refreshed_by(event: Event) -> bool:
    """Return whether an event may change services: those of the swarm, and of this node's containers."""
    return event.type in {"service", "node"} or (event.type == "container" and event.verb in {"start", "die"})


SERVICES = ResourceView(
    name="services",
    delay_s=TASK_DELAY_S,
    columns=COLUMNS,
    load=_load,
    about=_about,
    refreshed_by=refreshed_by,
    empty="no services",
    remove=lambda engine, row: engine_of(engine).services.remove(row.key),
    logs=lambda context, row: tasks_of(context, {row.key: row.name}),
)
