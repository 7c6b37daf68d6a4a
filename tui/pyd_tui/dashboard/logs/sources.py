"""The containers whose logs are read, on one engine or several, with distinguishing names."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from pyd_core.logs.annotation import Annotation, annotation_from
from pyd_tui.dashboard.render.logrow import source_labels
from pyd_tui.dashboard.render.pieces import Cell, Span

if TYPE_CHECKING:
    from pyd_core.client.provider import Provider
    from pyd_core.watch.container_info import ContainerInfo
    from pyd_core.watch.delta import Delta
    from pyd_tui.dashboard.engines.connection import EngineConnection
    from pyd_tui.dashboard.engines.target import RowTarget
    from pyd_tui.dashboard.logs.logbook import Liveness


class Sources:
    """The sources of a log by container id, which is all that lines carry.

    If two engines claim the same container id, only the first is read.

    Args:
        targets: The containers.
    """

    def __init__(self, targets: Iterable[RowTarget]) -> None:
        self._targets: dict[str, RowTarget] = {}
        for target in targets:
            self._targets.setdefault(target.id, target)
        self.keys = tuple(self._targets)
        """Container ids."""
        self.names = dict.fromkeys(self.keys, "")
        """Last known names by id."""
        self.links: Sequence[EngineConnection] = tuple(dict.fromkeys(target.link for target in self._targets.values()))
        """Engines of the containers."""

    @property
    def engines(self) -> dict[str, Provider | None]:
        """Engine clients by container id."""
        return {key: target.link.engine for key, target in self._targets.items()}

    @property
    def marks(self) -> list[Annotation]:
        """Annotations known so far."""
        marks = []
        for link in self.links:
            marks += link.known_marks([key for key, target in self._targets.items() if target.link is link])
        return marks

    def liveness(self) -> Liveness:
        """Return whether new lines may come."""
        return liveness_of(self._targets.values())

    def get(self, key: str) -> RowTarget | None:
        """Return the container of an id."""
        return self._targets.get(key)

    def entry(self, key: str) -> ContainerInfo | None:
        """Return a container's info; None once it is removed."""
        return self._targets[key].entry

    def new_marks(self, link: EngineConnection, delta: Delta) -> list[Annotation]:
        """Return annotations for an engine's new events."""
        own = [event for event in delta.events if self._is_on(event.actor.id, link)]
        return [mark for event in own if (mark := annotation_from(event)) is not None]

    def _is_on(self, key: str, link: EngineConnection) -> bool:
        target = self._targets.get(key)
        return target is not None and target.link is link

    def refresh_names(self) -> Mapping[str, Cell]:
        """Update the names, and return the labels of the containers' lines."""
        known = {key: self.entry(key) for key in self.keys}
        self.names = {key: container.name if (container := known[key]) else name for key, name in self.names.items()}
        projects = {container.project if container else "" for container in known.values()}
        return source_labels(self.names, projects.pop() or "" if len(projects) == 1 else "")


def liveness_of(targets: Collection[RowTarget]) -> Liveness:
    """Return whether new lines may come from some containers."""
    if all(target.link.connection.state == "lost" for target in targets):
        return "lost"
    entries = [entry for target in targets if (entry := target.entry) is not None]
    if any(entry.has_processes for entry in entries):
        return "following"
    return "unstarted" if entries and all(entry.state == "created" for entry in entries) else "ended"


def legend(shown: Mapping[str, Cell], names: Mapping[str, str], muted: Collection[str]) -> Cell:
    """List sources in their colours; muted ones are hollow and grey."""
    pieces: list[Span] = []
    for key, name in sorted(shown.items(), key=lambda item: names[item[0]]):
        is_muted = key in muted
        pieces.append(Span("○ " if is_muted else "● ", "dim" if is_muted else name[0].role))
        text = "".join(piece.text for piece in name).rstrip()
        pieces.append(Span(f"{text}  ", "dim" if is_muted else name[0].role))
    return tuple(pieces)
