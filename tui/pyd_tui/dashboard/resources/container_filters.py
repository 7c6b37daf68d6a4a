"""The filters and the sorting of containers, independent of screens."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from pyd_core.watch.container_info import ContainerInfo
from pyd_core.watch.stats import Usage
from pyd_tui.dashboard.render.containers import ACTIVE_STATES, is_broken, published
from pyd_tui.dashboard.resources.text_filter import matches

Rank = tuple[float, str, str]

SORTS = ("state", "name", "project", "cpu", "memory", "since", "image")
"""The columns to sort by, in the order of the key `o`."""
OF_MERGED = ("engine",)
"""The columns that follow them where the containers of all engines are in one list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """The filters and the sorting that the user has chosen.

    Attributes:
        text: Words that must occur in a container's name, image, project, service, state or id, whatever the case; a
            word behind `!` must not. `port:`, `label:`, `net:` and `volume:` name where a word must occur.
        running_only: Whether to show only running containers.
        broken_only: Whether to show only containers with problems.
        sort: The column to sort by.
        scale: The meaning of 100 % CPU usage, see `CPU_TITLES`.
        merged: Whether the containers of all engines are in one list.
        reverse: Whether the order is reversed.
    """

    text: str = ""
    running_only: bool = False
    broken_only: bool = False
    sort: str = "state"
    scale: Literal["core", "most"] = "core"
    merged: bool = False
    reverse: bool = False

    @property
    def narrows(self) -> bool:
        """Whether any filter is on."""
        return bool(self.text or self.running_only or self.broken_only)

    @property
    def ranks_usage(self) -> bool:
        """Whether the order depends on resource usage."""
        return self.sort in {"cpu", "memory"}

    def next_sort(self) -> View:
        """Return the view sorted by the next column."""
        sorts = self.sorts
        return replace(self, sort=sorts[(sorts.index(self.sort) + 1) % len(sorts)], reverse=False)

    def sorted_by(self, sort: str) -> View:
        """Return the view sorted by a column; if it already is, in the reverse order."""
        if sort == self.sort:
            return replace(self, reverse=not self.reverse)
        return replace(self, sort=sort, reverse=False) if sort in self.sorts else self

    @property
    def sorts(self) -> tuple[str, ...]:
        """The columns to sort by."""
        return (*SORTS, *OF_MERGED) if self.merged else SORTS

    def with_merged(self, *, merged: bool) -> View:
        """Return the view for all engines or for one; a sort column that doesn't exist there becomes the first."""
        there = merged or self.sort not in OF_MERGED
        return replace(self, merged=merged, sort=self.sort if there else SORTS[0])

    def shows(
        self, entry: ContainerInfo, broken: Callable[[ContainerInfo], bool] = is_broken, engine: str = ""
    ) -> bool:
        """Return whether a container is shown; `broken` finds problems, `engine` is its engine's name."""
        if self.running_only and entry.state not in ACTIVE_STATES:
            return False
        if self.broken_only and not broken(entry):
            return False
        return not self.text or matches(self.text, _fields(entry, engine), _named_fields(entry))

    def order(
        self,
        entries: Mapping[str, ContainerInfo],
        usage: Mapping[str, Usage],
        broken: Callable[[ContainerInfo], bool] = is_broken,
        engine: str = "",
    ) -> list[str]:
        """Return the ids of the shown containers of an engine, in order."""
        shown = [entry for entry in entries.values() if self.shows(entry, broken, engine)]
        shown.sort(key=lambda entry: self.rank(entry, usage.get(entry.id)), reverse=self.reverse)
        return [entry.id for entry in shown]

    def rank(self, entry: ContainerInfo, usage: Usage | None) -> tuple[float, str, str, str]:
        """Return the sort key of a container."""
        by_severity = self.broken_only and self.sort in {"state", *OF_MERGED}
        return (*(_by_severity if by_severity else _RANKS[self.sort])(entry, usage), entry.id)


def _fields(entry: ContainerInfo, engine: str) -> tuple[str, ...]:
    """Return the fields that filters look into."""
    ports = published(entry.ports) if entry.ports else ""
    return (
        *(entry.name, entry.image, entry.project, entry.service),
        *(entry.state, entry.health, entry.id[:12], engine, ports),
    )


def _named_fields(entry: ContainerInfo) -> dict[str, Iterable[str]]:
    """Return the fields that filters name: `port:8080`, `label:tier=web`, `net:shop`, `volume:data`."""
    return {
        "port": [str(number) for port in entry.ports for number in (port.public_port, port.private_port) if number],
        "label": [f"{name}={value}" for name, value in entry.labels.items()],
        "net": entry.networks,
        "network": entry.networks,
        "volume": entry.volumes,
    }


def _by_state(entry: ContainerInfo, usage: Usage | None) -> Rank:
    """Sort running containers first; within each group, projects stay together."""
    del usage
    return (0 if entry.state in ACTIVE_STATES else 1, entry.project, entry.name)


def _by_severity(entry: ContainerInfo, usage: Usage | None) -> Rank:
    """Sort by urgency: restart loops, unhealthy ones, then out-of-memory deaths, others, failed starts.

    It uses the list's data rather than verdicts, which come one after another and would make rows trade places.
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


def severity(entry: ContainerInfo) -> Rank:
    """Return the rank of a broken container, the most urgent first."""
    return _by_severity(entry, None)


def _by_name(entry: ContainerInfo, usage: Usage | None) -> Rank:
    del usage
    return (0, "", entry.name)


def _by_project(entry: ContainerInfo, usage: Usage | None) -> Rank:
    """Sort by project, running containers first; those without a project come last."""
    del usage
    return (0 if entry.project else 1, entry.project, f"{0 if entry.state in ACTIVE_STATES else 1} {entry.name}")


def _by_cpu(entry: ContainerInfo, usage: Usage | None) -> Rank:
    """Sort the busiest first, in whole percents: noise must not make rows trade places."""
    measured = usage is not None and usage.cpu_percent is not None
    return (-round(usage.cpu_percent or 0) if usage is not None and measured else _unranked(entry), "", entry.name)


def _by_memory(entry: ContainerInfo, usage: Usage | None) -> Rank:
    """Sort the largest first, in whole mebibytes."""
    measured = usage is not None and usage.memory_bytes is not None
    return (-((usage.memory_bytes or 0) >> 20) if usage is not None and measured else _unranked(entry), "", entry.name)


def _unranked(entry: ContainerInfo) -> float:
    """Return the rank of a container without figures: running ones, which weren't measured, before all others."""
    return 1 if entry.state in ACTIVE_STATES else 2


def _by_since(entry: ContainerInfo, usage: Usage | None) -> Rank:
    """Sort the latest start or end first."""
    del usage
    return (-_last(entry), "", entry.name)


def _last(entry: ContainerInfo) -> int:
    """Return the time of the last start or end."""
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
