"""Which container on which engine: what a row stands for, and what keys act on."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pyd_core.client.engine_client import EngineClient
    from pyd_core.watch.container_info import ContainerInfo
    from pyd_tui.dashboard.engines.connection import EngineConnection


class RowTarget(NamedTuple):
    """A container on its engine. An id alone isn't enough: an engine can claim any, another's too.

    Where containers are grouped, the heading above those of a project is a row too: it has no id.
    """

    link: EngineConnection
    id: str
    project: str = ""
    """Whose heading it is; empty for a container."""

    @property
    def is_heading(self) -> bool:
        """Whether it stands for a project, not for a container."""
        return bool(self.project)

    @property
    def entry(self) -> ContainerInfo | None:
        """What is known of it; None for a heading, and once it is gone."""
        return None if self.project else self.link.containers.get(self.id)

    @property
    def engine(self) -> EngineClient:
        """Its engine.

        Raises:
            EngineUnavailable: There is none yet.
        """
        return self.link.require()
