"""What changed in the fleet, and how its connection does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pyd_core.client.gap import Gap
from pyd_core.errors import PydError
from pyd_core.model.event import Event


@dataclass(frozen=True, slots=True)
class ConnectionState:
    """How the fleet's event stream does.

    While it is `connecting` or `lost`, everything the fleet says is as old as `since_ns`.
    """

    state: Literal["connecting", "live", "lost"]
    since_ns: int
    """Nanoseconds since the epoch by this machine's clock."""
    error: PydError | None = None
    """Why it is lost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delta:
    """What changed since the last one; all empty when only the connection's state did."""

    changed: frozenset[str] = frozenset()
    """Ids of containers that are new or differ."""
    removed: frozenset[str] = frozenset()
    """Ids of containers that are gone."""
    events: tuple[Event, ...] = ()
    """What happened, in the engine's order, of every type the engine reports."""
    gap: Gap | None = None
    """Set when the fleet listens again after it couldn't."""
