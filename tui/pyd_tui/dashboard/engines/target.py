"""The target of a row and of actions: a container on an engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pyd_core.client.provider import Provider
    from pyd_core.watch.container_info import ContainerInfo
    from pyd_tui.dashboard.engines.connection import EngineConnection


class RowTarget(NamedTuple):
    """A container on its engine. The id isn't enough: an engine can claim any id, another engine's too.

    Where containers are grouped, the heading of a project is a row too: it has no id.
    """

    link: EngineConnection
    id: str
    project: str = ""
    """The project of a heading; empty for a container."""

    @property
    def is_heading(self) -> bool:
        """Whether the row is the heading of a project."""
        return bool(self.project)

    @property
    def entry(self) -> ContainerInfo | None:
        """The container's info; None for a heading, and once the container is gone."""
        return None if self.project else self.link.containers.get(self.id)

    @property
    def engine(self) -> Provider:
        """The client of the engine.

        Raises:
            EngineUnavailable: No engine answers yet.
        """
        return self.link.require()


def project_targets(target: RowTarget) -> list[RowTarget]:
    """Return the containers of a container's Compose project; only itself if it belongs to none."""
    entry = target.entry
    if entry is None or not entry.project:
        return [target]
    return [
        RowTarget(target.link, known.id) for known in target.link.containers.values() if known.project == entry.project
    ]
