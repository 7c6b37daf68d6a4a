"""Stacks of a swarm: services that were deployed together."""

from __future__ import annotations

import asyncio

from pyd_core.client.engine_client import EngineClient
from pyd_core.model.service import STACK, Service
from pyd_tui.dashboard.render.facts import block
from pyd_tui.dashboard.render.layout import LayoutColumn
from pyd_tui.dashboard.render.pieces import Cell, Role, Span, cell, fit, width
from pyd_tui.dashboard.resources.base import LoadContext, ResourceView, Row
from pyd_tui.dashboard.resources.services import renewed_by
from pyd_tui.dashboard.resources.services import row as service_row
from pyd_tui.dashboard.resources.swarm import LAG, in_swarm, tasks_of

COLUMNS = (
    LayoutColumn(key="name", title="NAME", min_width=14, max_width=40, priority=0),
    LayoutColumn(key="services", title="SERVICES", min_width=8, max_width=8, priority=1, right=True),
    LayoutColumn(key="tasks", title="TASKS", min_width=7, max_width=9, priority=0, right=True),
    LayoutColumn(key="names", title="NAMES", min_width=12, max_width=90, priority=2),
)


def row(name: str, services: list[Service]) -> Row:
    """Returns a stack's line."""
    known = [one.service_status for one in services if one.service_status is not None]
    running, wanted = sum(one.running_tasks for one in known), sum(one.desired_tasks for one in known)
    role: Role = "good" if running >= wanted else "bad" if not running else "warn"
    cells = (
        cell(name, "strong"),
        cell(str(len(services))),
        (Span(f"{running}", role), Span(f"/{wanted}", "dim")),
        cell(", ".join(one.spec.name.removeprefix(f"{name}_") for one in services), "dim"),
    )
    return Row(key=name, name=name, cells=cells, thing=services)


async def _load(stock: LoadContext) -> list[Row]:
    engine = await in_swarm(stock)
    stacks: dict[str, list[Service]] = {}
    for service in sorted(await engine.services.list(), key=lambda one: one.spec.name):
        if service.stack:
            stacks.setdefault(service.stack, []).append(service)
    return [row(name, services) for name, services in sorted(stacks.items())]


async def _about(stock: LoadContext, row: Row) -> list[Cell]:
    del stock
    assert isinstance(row.thing, list)  # noqa: S101 - what `row` put there
    lines = []
    found = [service_row(service).cells for service in row.thing]
    room = max((width(name) for name, *_ in found), default=0)
    for name, tasks, mode, _, image, *_ in found:
        lines.append(
            (Span(" "), *fit(name, room), Span("  "), *fit(tasks, 7, right=True), Span("  "), *fit(mode, 12), *image)
        )
    return block("Services", lines)[1:]


async def _remove(engine: EngineClient, row: Row) -> object:
    """Removes what carries the stack's label, as `docker stack rm` does: services first, then what they used."""
    mine = {"label": [f"{STACK}={row.key}"]}
    await asyncio.gather(*(engine.services.remove(one.id) for one in await engine.services.list(filters=mine)))
    for secret in await engine.secrets.list(filters=mine):
        await engine.secrets.remove(secret.id)
    for config in await engine.configs.list(filters=mine):
        await engine.configs.remove(config.id)
    for network in await engine.networks.list(filters=mine):
        await engine.networks.remove(network.id)
    return None


async def _logs(stock: LoadContext, row: Row) -> dict[str, str]:
    assert isinstance(row.thing, list)  # noqa: S101 - what `row` put there
    return await tasks_of(stock, {one.id: one.spec.name.removeprefix(f"{row.name}_") for one in row.thing})


STACKS = ResourceView(
    name="stacks",
    lags=LAG,
    columns=COLUMNS,
    load=_load,
    about=_about,
    renewed_by=renewed_by,
    empty="no stacks: no service carries the label of one",
    remove=_remove,
    logs=_logs,
)
