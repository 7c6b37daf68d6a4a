"""Which container on which engine: what a row stands for, and what keys act on."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pyd_core.engine.client import Engine
    from pyd_core.fleet.entry import Entry
    from pyd_tui.dashboard.link import Link


class Target(NamedTuple):
    """A container on its engine. An id alone isn't enough: an engine can claim any, another's too."""

    link: Link
    id: str

    @property
    def entry(self) -> Entry | None:
        """What is known of it; None once it is gone."""
        return self.link.containers.get(self.id)

    @property
    def engine(self) -> Engine:
        """Its engine.

        Raises:
            EngineUnavailable: There is none yet.
        """
        return self.link.require()
