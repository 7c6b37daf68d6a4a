"""The tabs about a container: their lines, and their requests to the engine."""

from __future__ import annotations

import textwrap
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from pyd_core.client.provider import Provider, engine_of
from pyd_core.errors import EngineError, PydError
from pyd_core.logs.annotation import Annotation
from pyd_core.model.container import Container, Processes
from pyd_core.sanitise import safe
from pyd_core.watch.container_info import ContainerInfo
from pyd_core.watch.stats import Usage
from pyd_tui.dashboard.actions.next_steps import Step, next_steps
from pyd_tui.dashboard.engines.recorded_deaths import Recorded, read_recorded
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
    from pyd_core.client.endpoint import Endpoint
    from pyd_core.triage.verdict import Verdict

T = TypeVar("T")


@dataclass(slots=True)
class Subject:
    """The known data of the container of a detail screen."""

    clock: Clock
    entry: ContainerInfo | None = None
    removed: bool = False
    """Whether the container was removed; the entry is its last one then."""
    usage: Usage | None = None
    body: bytes = b""
    """The raw inspect data; empty before it arrives."""
    container: Container | None = None
    """The decoded inspect data."""
    error: PydError | None = None
    """The error of inspect."""
    verdict: Verdict | PydError | None = None
    """The verdict of triage, or its error; None before it arrives."""
    endpoint: Endpoint | None = None
    """The address of the container's engine."""
    answers: dict[str, object] = field(default_factory=dict)
    """The answers or errors of the tabs' requests, by the tab's name."""
    asked_ns: dict[str, int] = field(default_factory=dict)
    """When the data of tabs was requested, nanoseconds since the epoch, by the tab's name."""
    samples: Sequence[Usage] = ()
    """The usage measured while the dashboard is open, oldest first."""
    marks: Sequence[Annotation] = ()
    """The known starts and deaths of the container."""
    span: int = 1
    """The time span of curves, as an index of `SPANS`."""
    at_ns: int = 0
    """A moment to mark in curves; 0 is none."""
    processors: int | None = None
    """The number of the host's processors."""
    unmasked: bool = False
    room: int = 80
    """The terminal columns of a line."""
    height: int = 40
    """The lines of the terminal."""

    @property
    def steps(self) -> list[Step] | None:
        """The steps that the verdict suggests; None without one."""
        if self.verdict is None or isinstance(self.verdict, PydError):
            return None
        return next_steps(self.verdict, self.entry, self.endpoint)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The data of one tab.

    Attributes:
        draw: Returns the lines; none while it waits for an answer.
        ask: Loads the data of only this tab, when it is opened and when the user refreshes it, never on its own.
    """

    draw: Callable[[Subject], list[Cell]]
    ask: Callable[[Provider, str], Awaitable[object]] | None = None


def _overview(subject: Subject) -> list[Cell]:
    if subject.entry is None:
        return []
    return overview(subject.entry, subject.usage, subject.container, subject.clock, removed=subject.removed)


MIN_TALL_LINES = 34
"""The terminal height below which curves are lower, so that more of them fit."""


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
        samples=sorted([*kept.samples, *subject.samples], key=lambda sample: sample.time_ns),
        marks=sorted(marks, key=lambda mark: mark.time_ns),
        span=subject.span,
        at_ns=subject.at_ns,
        processors=subject.processors,
        recorded=bool(kept.samples),
        tall=subject.height >= MIN_TALL_LINES,
    )
    lines = stats(subject.entry, subject.usage, course, subject.clock, subject.room)
    return lines + _error_lines(answer, subject.room) if isinstance(answer, PydError) else lines


def _why(subject: Subject) -> list[Cell]:
    return why(subject.verdict, subject.clock, subject.room, subject.steps)


def _inspected(draw: Callable[[Container, Subject], list[Cell]]) -> Page:
    """Return a tab drawn from the inspect data."""

    def page(subject: Subject) -> list[Cell]:
        if subject.container is None:
            return _error_lines(subject.error, subject.room) if subject.error is not None else []
        return draw(subject.container, subject)

    return Page(draw=page)


def _requested_tab(
    name: str, kind: type[T], draw: Callable[[T], list[Cell]], ask: Callable[[Provider, str], Awaitable[T]]
) -> Page:
    """Return a tab drawn from an answer of its own."""

    def page(subject: Subject) -> list[Cell]:
        answer = subject.answers.get(name)
        if isinstance(answer, PydError):
            return _error_lines(answer, subject.room)
        return draw(answer) if isinstance(answer, kind) else []

    return Page(draw=page, ask=ask)


def _error_lines(error: PydError, room: int) -> list[Cell]:
    texts: tuple[tuple[str, Role], ...] = ((error.message, "bad"), (error.hint, "dim"))
    return [EMPTY, *(cell(f" {line}", role) for text, role in texts for line in textwrap.wrap(safe(text), room - 1))]


PAGES: dict[str, Page] = {
    "overview": Page(draw=_overview),
    "stats": Page(draw=_stats, ask=read_recorded),
    "why": Page(draw=_why),
    "env": _inspected(
        lambda container, subject: env(container.config.env, unmasked=subject.unmasked, room=subject.room)
    ),
    "mounts": _inspected(lambda container, _: mounts(container)),
    "network": _inspected(lambda container, _: connections(container)),
    "changes": _requested_tab("changes", list, changes, lambda engine, key: engine_of(engine).containers.changes(key)),
    "health": _inspected(lambda container, subject: probes(container, subject.clock)),
}
"""Every tab drawn from a `Subject`; logs, inspect, events, processes and files are panels of their own."""


async def _processes(engine: Provider, key: str) -> Processes:
    """Ask for the most useful columns; not every engine's `ps` has them."""
    try:
        return await engine.containers.top(key, ps_args=PS_ARGUMENTS)
    except EngineError:
        return await engine.containers.top(key)


ASKS: dict[str, Callable[[Provider, str], Awaitable[object]]] = {
    **{name: page.ask for name, page in PAGES.items() if page.ask is not None},
    "processes": _processes,
}
"""The requests of the tabs that need one, by name."""

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
