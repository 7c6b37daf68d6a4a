"""Whose logs are read: containers on one engine or on several, with the names that tell them apart."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from pyd_core.logs.annotation import Annotation, mark_of
from pyd_tui.dashboard.render.logrow import source_labels
from pyd_tui.dashboard.render.pieces import Cell, Span

if TYPE_CHECKING:
    from pyd_core.client.engine_client import EngineClient
    from pyd_core.watch.container_info import ContainerInfo
    from pyd_core.watch.delta import Delta
    from pyd_tui.dashboard.engines.connection import EngineConnection
    from pyd_tui.dashboard.engines.target import RowTarget


class Sources:
    """The sources of a log by their ids: lines tell no more.

    Of an engine that claims the id of another's container, nothing is read.

    Args:
        targets: The containers.
    """

    def __init__(self, targets: Iterable[RowTarget]) -> None:
        self._targets: dict[str, RowTarget] = {}
        for target in targets:
            self._targets.setdefault(target.id, target)
        self.keys = tuple(self._targets)
        """Their ids."""
        self.names = dict.fromkeys(self.keys, "")
        """The last name that each was known by."""
        self.links: Sequence[EngineConnection] = tuple(dict.fromkeys(target.link for target in self._targets.values()))
        """Their engines."""

    @property
    def engines(self) -> dict[str, EngineClient | None]:
        """The engine of each, by ids."""
        return {key: target.link.engine for key, target in self._targets.items()}

    @property
    def marks(self) -> list[Annotation]:
        """What is known to have happened to them so far."""
        found = []
        for link in self.links:
            found += link.known_marks([key for key, target in self._targets.items() if target.link is link])
        return found

    def get(self, key: str) -> RowTarget | None:
        """Return the container with an id."""
        return self._targets.get(key)

    def entry(self, key: str) -> ContainerInfo | None:
        """Return what is known of one; None once it is gone."""
        return self._targets[key].entry

    def told(self, link: EngineConnection, delta: Delta) -> list[Annotation]:
        """Return what just happened to them on an engine."""
        own = [event for event in delta.events if self._is_on(event.actor.id, link)]
        return [mark for event in own if (mark := mark_of(event)) is not None]

    def _is_on(self, key: str, link: EngineConnection) -> bool:
        target = self._targets.get(key)
        return target is not None and target.link is link

    def look_up(self) -> Mapping[str, Cell]:
        """Take the names that they have now, and return what to write before the lines of each."""
        known = {key: self.entry(key) for key in self.keys}
        self.names = {key: entry.name if (entry := known[key]) else name for key, name in self.names.items()}
        projects = {entry.project if entry else "" for entry in known.values()}
        return source_labels(self.names, projects.pop() or "" if len(projects) == 1 else "")


def legend(shown: Mapping[str, Cell], names: Mapping[str, str], muted: Collection[str]) -> Cell:
    """List sources in their colours, those that are left out hollow and grey."""
    pieces: list[Span] = []
    for key, name in sorted(shown.items(), key=lambda item: names[item[0]]):
        out = key in muted
        pieces.append(Span("○ " if out else "● ", "dim" if out else name[0].role))
        text = "".join(piece.text for piece in name).rstrip()
        pieces.append(Span(f"{text}  ", "dim" if out else name[0].role))
    return tuple(pieces)
