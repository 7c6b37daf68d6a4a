"""What happened on an engine, as far as it is held."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from pyd_core.client.gap import Gap
from pyd_core.client.timestamps import api_timestamp
from pyd_core.model.event import Event
from pyd_core.watch.delta import Delta
from pyd_tui.dashboard.logs.line_ring import Ring
from pyd_tui.dashboard.render.events import is_worth_showing
from pyd_tui.dashboard.render.figures import SECOND

if TYPE_CHECKING:
    from pyd_core.client.engine_client import EngineClient

KEPT = 5000
"""Events held; older ones are dropped and counted."""

EventItem = Event | Gap


class Timeline:
    """All events since the dashboard began, and what the engine remembers from before once asked, within a bound."""

    def __init__(self) -> None:
        self.items: Ring[EventItem] = Ring(KEPT)
        self.complete = False
        """Whether what the engine remembers from before is in it."""

    def backfill(self, found: Iterable[Event]) -> None:
        """Takes what the engine remembers, each event once, in the order of time."""
        known = {_identity(item) for item in self.items}
        merged = [*self.items, *(event for event in found if _identity(event) not in known)]
        dropped = self.items.dropped
        self.items.clear()
        self.items.extend(sorted(merged, key=_when))
        self.items.dropped += dropped
        self.complete = True

    async def save_state(self, engine: EngineClient, now_ns: int) -> None:
        """Asks the engine once what it remembers from before; it keeps some hundred events."""
        if self.complete:
            return
        async with engine.system.events(since="1", until=api_timestamp(now_ns)) as stream:
            found = [event async for event in stream if is_worth_showing(event)]
        self.backfill(found)

    def apply(self, delta: Delta) -> bool:
        """Takes what happened, and returns whether any of it is worth showing."""
        before = len(self.items) + self.items.dropped
        if delta.gap is not None:
            self.items.add(delta.gap)
        self.items.extend(event for event in delta.events if is_worth_showing(event))
        return len(self.items) + self.items.dropped != before

    def of(self, container: str) -> Ring[EventItem]:
        """Returns the events of one container."""
        found: Ring[EventItem] = Ring(KEPT)
        found.extend(item for item in self.items if isinstance(item, Event) and item.actor.id == container)
        return found


def _when(item: EventItem) -> int:
    return item.until_ns if isinstance(item, Gap) else item.time_nano or item.time * SECOND


def _identity(item: EventItem) -> tuple[int, str, str]:
    return (_when(item), "", "") if isinstance(item, Gap) else (_when(item), item.action, item.actor.id)
