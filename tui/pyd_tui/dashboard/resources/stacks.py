"""The view of a swarm's stacks: services that were deployed together."""

from __future__ import annotations

import asyncio

from pyd_core.client.provider import Provider, engine_of
from pyd_core.model.service import STACK, Service
from pyd_tui.dashboard.render.facts import block
from pyd_tui.dashboard.render.layout import LayoutColumn
from pyd_tui.dashboard.render.pieces import Cell, Role, Span, cell, fit, width
from pyd_tui.dashboard.resources.base import LoadContext, ResourceView, Row
from pyd_tui.dashboard.resources.services import refreshed_by
from pyd_tui.dashboard.resources.services import row as service_row
from pyd_tui.dashboard.resources.swarm import TASK_DELAY_S, in_swarm, tasks_of

COLUMNS = (
    LayoutColumn(key="name", title="NAME", min_width=14, max_width=40, priority=0, whole=True),
    LayoutColumn(key="services", title="SERVICES", min_width=8, max_width=8, priority=1, right=True),
    LayoutColumn(key="tasks", title="TASKS", min_width=7, max_width=9, priority=0, right=True),
    LayoutColumn(key="names", title="PARTS", min_width=12, max_width=90, priority=2),
)


def row(name: str, services: list[Service]) -> Row:
    """Return the row of a stack."""
    statuses = [service.service_status for service in services if service.service_status is not None]
    running, desired = (
        sum(status.running_tasks for status in statuses),
        sum(status.desired_tasks for status in statuses),
    )
    role: Role = "good" if running >= desired else "bad" if not running else "warn"
    cells = (
        cell(name, "strong"),
        cell(str(len(services))),
        (Span(f"{running}", role), Span(f"/{desired}", "dim")),
        cell(", ".join(service.spec.name.removeprefix(f"{name}_") for service in services), "dim"),
    )
    return Row(key=name, name=name, cells=cells, thing=services)


async def _load(context: LoadContext) -> list[Row]:
    engine = await in_swarm(context)
    stacks: dict[str, list[Service]] = {}
    for service in sorted(await engine.services.list(), key=lambda service: service.spec.name):
        if service.stack:
            stacks.setdefault(service.stack, []).append(service)
    return [row(name, services) for name, services in sorted(stacks.items())]


async def _about(context: LoadContext, row: Row) -> list[Cell]:
    del context
    assert isinstance(row.thing, list)  # noqa: S101 - what `row` put there
    lines = []
    rows = [service_row(service).cells for service in row.thing]
    room = max((width(name) for name, *_ in rows), default=0)
    for name, tasks, mode, _, image, *_ in rows:
        lines.append(
            (Span(" "), *fit(name, room), Span("  "), *fit(tasks, 7, right=True), Span("  "), *fit(mode, 12), *image)
        )
    return block("Services", lines)[1:]


async def _remove(provider: Provider, row: Row) -> object:
    """Remove all objects with the stack's label, as `docker stack rm` does: services first, then what they used."""
    engine = engine_of(provider)
    mine = {"label": [f"{STACK}={row.key}"]}
    await asyncio.gather(*(engine.services.remove(service.id) for service in await engine.services.list(filters=mine)))
    for secret in await engine.secrets.list(filters=mine):
        await engine.secrets.remove(secret.id)
    for config in await engine.configs.list(filters=mine):
        await engine.configs.remove(config.id)
    for network in await engine.networks.list(filters=mine):
        await engine.networks.remove(network.id)
    return None


async def _logs(context: LoadContext, row: Row) -> dict[str, str]:
    assert isinstance(row.thing, list)  # noqa: S101 - what `row` put there
    return await tasks_of(
        context, {service.id: service.spec.name.removeprefix(f"{row.name}_") for service in row.thing}
    )


STACKS = ResourceView(
    name="stacks",
    delay_s=TASK_DELAY_S,
    columns=COLUMNS,
    load=_load,
    about=_about,
    refreshed_by=refreshed_by,
    empty="no stacks: no service has a stack label",
    remove=_remove,
    logs=_logs,
)
