"""Which containers are shown, and in what order: filters and sorting, apart from any screen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from pyd_core.watch.container_info import ContainerInfo
from pyd_core.watch.stats import Usage
from pyd_tui.dashboard.render.containers import ACTIVE_STATES, is_broken
from pyd_tui.dashboard.resources.text_filter import matches

Rank = tuple[float, str, str]

SORTS = ("state", "name", "project", "cpu", "memory", "since", "image")
"""Columns that can give the order, as `o` goes through them."""
OF_MERGED = ("engine",)
"""Those that follow them where the containers of all engines are in one list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What the user wants to see.

    Attributes:
        text: Words that must occur in a container's name, image, project, service, state or id, whatever the case; a
            word behind `!` must not.
        running_only: Leave out what doesn't run.
        broken_only: Show only what somebody should look at.
        sort: The column that gives the order.
        scale: What 100 % of processor use stands for, see `CPU_TITLES`.
        merged: The containers of all engines in one list.
    """

    text: str = ""
    running_only: bool = False
    broken_only: bool = False
    sort: str = "state"
    scale: Literal["core", "most"] = "core"
    merged: bool = False

    @property
    def narrows(self) -> bool:
        """Whether anything may be hidden."""
        return bool(self.text or self.running_only or self.broken_only)

    def next_sort(self) -> View:
        """The same, ordered by the next column."""
        sorts = self.sorts
        return replace(self, sort=sorts[(sorts.index(self.sort) + 1) % len(sorts)])

    @property
    def sorts(self) -> tuple[str, ...]:
        """The columns that can give the order."""
        return (*SORTS, *OF_MERGED) if self.merged else SORTS

    def of(self, *, merged: bool) -> View:
        """The same, on the engines as one or on one of them; an order that doesn't exist there becomes the first."""
        there = merged or self.sort not in OF_MERGED
        return replace(self, merged=merged, sort=self.sort if there else SORTS[0])

    def shows(
        self, entry: ContainerInfo, broken: Callable[[ContainerInfo], bool] = is_broken, engine: str = ""
    ) -> bool:
        """Whether a container is shown; `broken` tells whether somebody should look at it, `engine` whose it is."""
        if self.running_only and entry.state not in ACTIVE_STATES:
            return False
        if self.broken_only and not broken(entry):
            return False
        return not self.text or matches(self.text, _fields(entry, engine))

    def order(
        self,
        entries: Mapping[str, ContainerInfo],
        usage: Mapping[str, Usage],
        broken: Callable[[ContainerInfo], bool] = is_broken,
        engine: str = "",
    ) -> list[str]:
        """Returns the ids of what is shown of an engine, in order."""
        shown = [entry for entry in entries.values() if self.shows(entry, broken, engine)]
        shown.sort(key=lambda entry: self.rank(entry, usage.get(entry.id)))
        return [entry.id for entry in shown]

    def rank(self, entry: ContainerInfo, usage: Usage | None) -> tuple[float, str, str, str]:
        """Returns what puts a container in its place."""
        by_severity = self.broken_only and self.sort in {"state", *OF_MERGED}
        return (*(_by_severity if by_severity else _RANKS[self.sort])(entry, usage), entry.id)


def _fields(entry: ContainerInfo, engine: str) -> tuple[str, ...]:
    """Return what a filter looks into."""
    return (entry.name, entry.image, entry.project, entry.service, entry.state, entry.health, entry.id[:12], engine)


def _by_state(entry: ContainerInfo, usage: Usage | None) -> Rank:
    """The living first; within each, what belongs together stays together."""
    del usage
    return (0 if entry.state in ACTIVE_STATES else 1, entry.project, entry.name)


def _by_severity(entry: ContainerInfo, usage: Usage | None) -> Rank:
    """What harms now comes first: restart loops, the unhealthy, then deaths for want of memory, others, failed starts.

    It goes by what the list tells, not by verdicts, which come one after another and would make rows trade places.
    """
    if entry.state == "restarting":
        grade = 0
    elif entry.state in ACTIVE_STATES:
        grade = 1
    elif entry.state == "created":
        grade = 4
    else:
        grade = 2 if entry.oom_killed else 3
    del usage
    return (grade, f"{2**63 - _last(entry):020d}", entry.name)


def _by_name(entry: ContainerInfo, usage: Usage | None) -> Rank:
    del usage
    return (0, "", entry.name)


def _by_project(entry: ContainerInfo, usage: Usage | None) -> Rank:
    """Project by project, the living first; what belongs to none comes last."""
    del usage
    return (0 if entry.project else 1, entry.project, f"{0 if entry.state in ACTIVE_STATES else 1} {entry.name}")


def _by_cpu(entry: ContainerInfo, usage: Usage | None) -> Rank:
    """Busiest first, to the whole percent: noise shall not make rows trade places."""
    return (-round(usage.cpu_percent or 0) if usage else 1, "", entry.name)


def _by_memory(entry: ContainerInfo, usage: Usage | None) -> Rank:
    """Largest first, to the whole mebibyte."""
    return (-((usage.memory_bytes or 0) >> 20) if usage else 1, "", entry.name)


def _by_since(entry: ContainerInfo, usage: Usage | None) -> Rank:
    """What happened last comes first."""
    del usage
    return (-_last(entry), "", entry.name)


def _last(entry: ContainerInfo) -> int:
    """When it last started or ended."""
    return (entry.started_ns if entry.state in ACTIVE_STATES else entry.finished_ns) or entry.created_ns


def _by_image(entry: ContainerInfo, usage: Usage | None) -> Rank:
    del usage
    return (0, entry.image, entry.name)


_RANKS: dict[str, Callable[[ContainerInfo, Usage | None], Rank]] = {
    "state": _by_state,
    "name": _by_name,
    "project": _by_project,
    "cpu": _by_cpu,
    "memory": _by_memory,
    "since": _by_since,
    "image": _by_image,
    "engine": _by_state,
}
