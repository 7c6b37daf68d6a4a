"""Changes that a watcher reports, and the state of its connection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pyd_core.client.gap import Gap
from pyd_core.errors import PydError
from pyd_core.model.event import Event


@dataclass(frozen=True, slots=True)
class ConnectionState:
    """State of a watcher's event stream.

    While it is `connecting` or `lost`, all data of the watcher is as old as `since_ns`.
    """

    state: Literal["connecting", "live", "lost"]
    since_ns: int
    """Nanoseconds since the epoch by this machine's clock."""
    error: PydError | None = None
    """The cause of the loss."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delta:
    """Changes since the last delta; all empty if only the connection's state changed."""

    changed: frozenset[str] = frozenset()
    """Ids of containers that are new or differ."""
    removed: frozenset[str] = frozenset()
    """Ids of containers that are gone."""
    events: tuple[Event, ...] = ()
    """Events of all types, in the engine's order."""
    gap: Gap | None = None
    """Set when the watcher listens again after an interruption."""
