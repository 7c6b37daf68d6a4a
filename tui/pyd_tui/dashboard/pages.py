"""The tabs about a container: what each shows, and what it has to ask the engine for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from pyd_core.engine.client import Engine
from pyd_core.errors import PydError
from pyd_core.fleet.entry import Entry
from pyd_core.fleet.stats import Usage
from pyd_core.model.container import Container, Processes
from pyd_tui.dashboard.render.changes import changes
from pyd_tui.dashboard.render.connections import connections
from pyd_tui.dashboard.render.env import env
from pyd_tui.dashboard.render.facts import nothing
from pyd_tui.dashboard.render.figures import Clock
from pyd_tui.dashboard.render.health import probes
from pyd_tui.dashboard.render.mounts import mounts
from pyd_tui.dashboard.render.overview import overview
from pyd_tui.dashboard.render.pieces import EMPTY, Cell, cell
from pyd_tui.dashboard.render.processes import processes
from pyd_tui.dashboard.render.why import why

if TYPE_CHECKING:
    from pyd_core.triage.verdict import Verdict

T = TypeVar("T")


@dataclass(slots=True)
class Subject:
    """All that is known of the container a detail screen is about."""

    clock: Clock
    entry: Entry | None = None
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
    unmasked: bool = False
    room: int = 80
    """Terminal columns of a line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One tab.

    Attributes:
        draw: Returns its lines; none while it waits for an answer.
        ask: Fetches what only this tab shows, when it is opened and when the user renews it; never by itself.
    """

    draw: Callable[[Subject], list[Cell]]
    ask: Callable[[Engine, str], Awaitable[object]] | None = None


def _overview(subject: Subject) -> list[Cell]:
    if subject.entry is None:
        return []
    return overview(subject.entry, subject.usage, subject.found, subject.clock)


def _inspected(draw: Callable[[Container, Subject], list[Cell]]) -> Page:
    """A tab drawn from what inspect told."""

    def page(subject: Subject) -> list[Cell]:
        if subject.found is None:
            return _trouble(subject.trouble) if subject.trouble is not None else []
        return draw(subject.found, subject)

    return Page(draw=page)


def _asked(
    name: str, kind: type[T], draw: Callable[[T], list[Cell]], ask: Callable[[Engine, str], Awaitable[T]]
) -> Page:
    """A tab drawn from an answer of its own."""

    def page(subject: Subject) -> list[Cell]:
        answer = subject.answers.get(name)
        if isinstance(answer, PydError):
            return _trouble(answer)
        return draw(answer) if isinstance(answer, kind) else []

    return Page(draw=page, ask=ask)


def _trouble(error: PydError) -> list[Cell]:
    return [*nothing(""), cell(f" {error.message}", "bad"), cell(f" {error.hint}", "dim") if error.hint else EMPTY]


PAGES: dict[str, Page] = {
    "overview": Page(draw=_overview),
    "why": Page(draw=lambda subject: why(subject.verdict, subject.clock, subject.room)),
    "processes": _asked("processes", Processes, processes, lambda engine, key: engine.containers.top(key)),
    "env": _inspected(lambda found, subject: env(found.config.env, unmasked=subject.unmasked)),
    "mounts": _inspected(lambda found, _: mounts(found)),
    "network": _inspected(lambda found, _: connections(found)),
    "changes": _asked("changes", list, changes, lambda engine, key: engine.containers.changes(key)),
    "health": _inspected(lambda found, subject: probes(found, subject.clock)),
}
"""Every tab drawn from a `Subject`; logs, inspect, events and files are panels of their own."""

TABS = (
    *("overview", "logs", "why", "inspect", "events", "processes", "env", "mounts", "network", "changes", "files"),
    "health",
)
"""All tabs, in the order of their digits."""
