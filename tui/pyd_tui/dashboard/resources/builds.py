"""The view of the builds of an engine: those that run, and its history."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar, cast

from pyd_core.client.engine_client import EngineClient
from pyd_core.client.provider import Provider, engine_of
from pyd_core.model.event import Event
from pyd_core.tasks import TaskOwner
from pyd_tui.dashboard.render.facts import block, fact
from pyd_tui.dashboard.render.figures import full_moment, moment
from pyd_tui.dashboard.render.layout import LayoutColumn
from pyd_tui.dashboard.render.pieces import Cell, Role, cell
from pyd_tui.dashboard.resources.base import LoadContext, ResourceView, Row

if TYPE_CHECKING:
    from pyd_core.buildkit.client.history import BuildRecord
    from pyd_core.buildkit.client.progress import BuildSteps
    from pyd_core.buildkit.rpc.connection import DuplexChannel

COLUMNS = (
    LayoutColumn(key="name", title="NAME", min_width=20, max_width=48, priority=0),
    LayoutColumn(key="status", title="STATUS", min_width=9, max_width=9, priority=1),
    LayoutColumn(key="steps", title="STEPS", min_width=6, max_width=16, priority=3),
    LayoutColumn(key="created", title="CREATED", min_width=8, max_width=8, priority=4, right=True),
    LayoutColumn(key="took", title="TOOK", min_width=7, max_width=9, priority=2, right=True),
    LayoutColumn(key="error", title="ERROR", min_width=16, max_width=100, priority=5, optional=True),
)
FIRST_FRAME_S = 0.15
"""Seconds in which the steps so far of a running build arrive."""
FRAME_S = 0.5
"""Seconds between two pictures of a running build."""
MAX_OUTPUT_LINES = 200
"""Last lines of output in the details."""

_ROLES: dict[str, Role] = {"running": "info", "completed": "good", "error": "bad", "canceled": "warn"}
T = TypeVar("T")


async def _call(engine: EngineClient, work: Callable[[DuplexChannel], Awaitable[T]]) -> T:
    from pyd_core.client.builds import BuildsApi  # noqa: PLC0415 - loaded with the first list of builds

    builds = BuildsApi(engine.api)
    await builds.require_buildkit()
    channel = await builds.channel()
    try:
        return await work(channel)
    finally:
        await channel.aclose()


def row(record: BuildRecord, context: LoadContext) -> Row:
    """Return the row of a build."""
    from pyd_tui.console.builds.tree import MIN_TIME_S, clock  # noqa: PLC0415 - as above

    now = context.clock.now() / 1e9
    ended = record.completed if record.completed is not None else now
    took = max(0.0, ended - record.created) if record.created else 0.0
    steps = f"{record.completed_steps}/{record.total_steps}" if record.total_steps else ""
    cached = f", {record.cached_steps} cached" if record.cached_steps else ""
    cells = (
        cell(record.name, "strong" if record.status == "running" else "text"),
        cell(record.status, _ROLES.get(record.status, "text")),
        cell(f"{steps}{cached}", "dim"),
        cell(moment(int(record.created * 1e9), context.clock) if record.created else "", "dim"),
        cell(clock(took) or f"{MIN_TIME_S:g} s", "dim"),
        cell(record.error, "bad"),
    )
    words = f"{record.reference} {' '.join(record.attributes.values())}"
    ranks = {"created": record.created or 0.0, "took": took}
    return Row(key=record.reference, name=record.name, cells=cells, thing=record, words=words, ranks=ranks)


async def _load(context: LoadContext) -> list[Row]:
    from pyd_core.buildkit.client.history import list_builds  # noqa: PLC0415 - gRPC is loaded on first use

    records = await _call(context.engine, list_builds)
    records.sort(key=lambda record: record.status != "running")  # keeps the newest first among each
    return [row(record, context) for record in records]


async def _about(context: LoadContext, row: Row) -> list[Cell]:
    *_, last = [lines async for lines in _frames(context, cast("BuildRecord", row.thing), every=None)]
    return last


def follow(context: LoadContext, row: Row) -> AsyncGenerator[list[Cell], None] | None:
    """Return the details of a running build as it progresses; None of one that has ended."""
    record = cast("BuildRecord", row.thing)
    return _frames(context, record, every=FRAME_S) if record.status == "running" else None


async def _frames(
    context: LoadContext, record: BuildRecord, *, every: float | None
) -> AsyncGenerator[list[Cell], None]:
    """Yield the details of a build at an interval in seconds until its end; without one only then."""
    from pyd_core.buildkit.client.history import replay  # noqa: PLC0415 - as above
    from pyd_core.buildkit.client.progress import BuildSteps  # noqa: PLC0415 - as above

    last = BuildSteps()

    async def read(channel: DuplexChannel) -> None:
        nonlocal last
        async for progress, _ in replay(channel, record.reference):
            last = progress

    errors: list[Exception] = []
    async with TaskOwner(errors.append) as tasks:
        reader = tasks.start(_call(context.engine, read), name="progress of a build")
        wait_s = every and FIRST_FRAME_S
        while not reader.done():
            await asyncio.wait({reader}, timeout=wait_s)
            yield about(record, last, context)
            wait_s = every
    if errors:
        raise errors[0]


def about(record: BuildRecord, progress: BuildSteps, context: LoadContext) -> list[Cell]:
    """Return the details of a build: its steps as a tree, the last output, its options and its result."""
    from pyd_tui.console.builds.tree import TreePainter  # noqa: PLC0415 - as above

    now = context.clock.now() / 1e9
    facts = [fact("status", cell(record.status, _ROLES.get(record.status, "text")))]
    if record.error:
        facts.append(fact("error", cell(record.error, "bad")))
    if record.created:
        facts.append(fact("created", cell(full_moment(int(record.created * 1e9), context.clock))))
    facts += [fact("option", cell(f"{name}={value}", "dim")) for name, value in sorted(record.attributes.items())]
    lines: list[Cell] = []
    if progress.steps:
        painter = TreePainter(record.name, coloured=False)
        ended = record.completed if record.completed is not None else now
        width = max(context.room, 40)
        tree = painter.lines(progress, now=ended, started=record.created or ended, width=width, height=0)
        lines = [_step_line(line) for line in tree]
    output = [line.text for step in progress.steps.values() for line in step.lines][-MAX_OUTPUT_LINES:]
    results = [
        fact("result", cell(f"{name}={value}", "dim"))
        for name, value in sorted(record.metadata.items())
        if not value.startswith("{")
    ]
    return [
        *block("Build", facts)[1:],
        *block("Result", results),
        *block("Steps", lines),
        *block("Output", [cell(f" {text}") for text in output]),
    ]


def _step_line(line: str) -> Cell:
    mark = line.strip()[:1]
    role: Role = {"✗": "bad", "▸": "info", "✓": "text"}.get(mark, "dim")  # type: ignore[assignment] # they are roles
    return cell(line.rstrip(), role)


def debug_name(row: Row) -> str | None:
    """Return the name of a build's failed step for `pyd debug`; None of a build that hasn't failed."""
    record = cast("BuildRecord", row.thing)
    return f"build:{record.reference}" if record.status == "error" else None


async def _remove(provider: Provider, row: Row) -> None:
    engine = engine_of(provider)
    from pyd_core.buildkit.client.history import remove_build  # noqa: PLC0415 - as above

    await _call(engine, lambda channel: remove_build(channel, row.key))


def _refreshed_by(event: Event) -> bool:
    return event.type in {"builder", "image"}


BUILDS = ResourceView(
    name="builds",
    columns=COLUMNS,
    load=_load,
    about=_about,
    refreshed_by=_refreshed_by,
    empty="no builds yet",
    remove=_remove,
    debug=debug_name,
    delay_s=1.0,
    follow=follow,
)
