"""The tabs about a container: what each shows, and what it has to ask the engine for."""

from __future__ import annotations

import textwrap
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from pyd_core.client.engine_client import EngineClient
from pyd_core.errors import EngineError, PydError
from pyd_core.logs.annotation import Annotation
from pyd_core.model.container import Container, Processes
from pyd_core.sanitise import safe
from pyd_core.watch.container_info import ContainerInfo
from pyd_core.watch.stats import Usage
from pyd_tui.dashboard.engines.recorded_deaths import Recorded, recorded
from pyd_tui.dashboard.render.changes import changes
from pyd_tui.dashboard.render.connections import connections
from pyd_tui.dashboard.render.env import env
from pyd_tui.dashboard.render.figures import SECOND, Clock
from pyd_tui.dashboard.render.health import probes
from pyd_tui.dashboard.render.mounts import mounts
from pyd_tui.dashboard.render.overview import overview
from pyd_tui.dashboard.render.pieces import EMPTY, Cell, Role, cell
from pyd_tui.dashboard.render.processes import PS_ARGUMENTS
from pyd_tui.dashboard.render.stats import UsageHistory, stats
from pyd_tui.dashboard.render.why import why

if TYPE_CHECKING:
    from pyd_core.triage.verdict import Verdict

T = TypeVar("T")


@dataclass(slots=True)
class Subject:
    """All that is known of the container a detail screen is about."""

    clock: Clock
    entry: ContainerInfo | None = None
    usage: Usage | None = None
    body: bytes = b""
    """What inspect told, as it came; empty while it hasn't."""
    found: Container | None = None
    """The same, decoded."""
    trouble: PydError | None = None
    """Why inspect told nothing."""
    verdict: Verdict | PydError | None = None
    """What triage said; None while it hasn't."""
    answers: dict[str, object] = field(default_factory=dict)
    """What was asked for a tab, or the error that was the answer, by the tab's name."""
    samples: Sequence[Usage] = ()
    """What was measured of its use while the dashboard is open, oldest first."""
    marks: Sequence[Annotation] = ()
    """Its starts and deaths, as far as they are known."""
    span: int = 1
    """How far back curves reach, as an index of `SPANS`."""
    at_ns: int = 0
    """A moment to point out in curves; 0 is none."""
    processors: int | None = None
    """Of the engine's machine."""
    unmasked: bool = False
    room: int = 80
    """Terminal columns of a line."""
    height: int = 40
    """Lines of the terminal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One tab.

    Attributes:
        draw: Returns its lines; none while it waits for an answer.
        ask: Fetches what only this tab shows, when it is opened and when the user renews it; never by itself.
    """

    draw: Callable[[Subject], list[Cell]]
    ask: Callable[[EngineClient, str], Awaitable[object]] | None = None


def _overview(subject: Subject) -> list[Cell]:
    if subject.entry is None:
        return []
    return overview(subject.entry, subject.usage, subject.found, subject.clock)


LOW = 34
"""Lines of a terminal below which curves are lower, so that more of them are on the screen."""


def _stats(subject: Subject) -> list[Cell]:
    answer = subject.answers.get("stats")
    kept = answer if isinstance(answer, Recorded) else Recorded()
    known = {mark.time_ns // SECOND for mark in kept.deaths}
    marks = [
        *kept.deaths,
        *(mark for mark in subject.marks if mark.verb != "die" or mark.time_ns // SECOND not in known),
    ]
    if subject.entry is None:
        return []
    course = UsageHistory(
        samples=sorted([*kept.samples, *subject.samples], key=lambda one: one.time_ns),
        marks=sorted(marks, key=lambda mark: mark.time_ns),
        span=subject.span,
        at_ns=subject.at_ns,
        processors=subject.processors,
        recorded=bool(kept.samples),
        tall=subject.height >= LOW,
    )
    lines = stats(subject.entry, subject.usage, course, subject.clock, subject.room)
    return lines + _trouble(answer, subject.room) if isinstance(answer, PydError) else lines


def _inspected(draw: Callable[[Container, Subject], list[Cell]]) -> Page:
    """A tab drawn from what inspect told."""

    def page(subject: Subject) -> list[Cell]:
        if subject.found is None:
            return _trouble(subject.trouble, subject.room) if subject.trouble is not None else []
        return draw(subject.found, subject)

    return Page(draw=page)


def _asked(
    name: str, kind: type[T], draw: Callable[[T], list[Cell]], ask: Callable[[EngineClient, str], Awaitable[T]]
) -> Page:
    """A tab drawn from an answer of its own."""

    def page(subject: Subject) -> list[Cell]:
        answer = subject.answers.get(name)
        if isinstance(answer, PydError):
            return _trouble(answer, subject.room)
        return draw(answer) if isinstance(answer, kind) else []

    return Page(draw=page, ask=ask)


def _trouble(error: PydError, room: int) -> list[Cell]:
    said: tuple[tuple[str, Role], ...] = ((error.message, "bad"), (error.hint, "dim"))
    return [EMPTY, *(cell(f" {line}", role) for text, role in said for line in textwrap.wrap(safe(text), room - 1))]


PAGES: dict[str, Page] = {
    "overview": Page(draw=_overview),
    "stats": Page(draw=_stats, ask=recorded),
    "why": Page(draw=lambda subject: why(subject.verdict, subject.clock, subject.room)),
    "env": _inspected(lambda found, subject: env(found.config.env, unmasked=subject.unmasked)),
    "mounts": _inspected(lambda found, _: mounts(found)),
    "network": _inspected(lambda found, _: connections(found)),
    "changes": _asked("changes", list, changes, lambda engine, key: engine.containers.changes(key)),
    "health": _inspected(lambda found, subject: probes(found, subject.clock)),
}
"""Every tab drawn from a `Subject`; logs, inspect, events, processes and files are panels of their own."""


async def _processes(engine: EngineClient, key: str) -> Processes:
    """Asks for the columns that say most; not every engine's `ps` has them."""
    try:
        return await engine.containers.top(key, ps_args=PS_ARGUMENTS)
    except EngineError:
        return await engine.containers.top(key)


ASKS: dict[str, Callable[[EngineClient, str], Awaitable[object]]] = {
    **{name: page.ask for name, page in PAGES.items() if page.ask is not None},
    "processes": _processes,
}
"""What fetches a tab's answer, for those that need one."""

TABS = (
    "overview",
    "logs",
    "stats",
    "why",
    "inspect",
    "events",
    "processes",
    "env",
    "mounts",
    "network",
    "changes",
    "files",
    "health",
)
"""All tabs, in the order of their digits."""
