"""The recent events of an engine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from msgspec.structs import replace

from pyd_core.client.gap import Gap
from pyd_core.client.timestamps import api_timestamp
from pyd_core.model.event import Event
from pyd_core.watch.delta import Delta
from pyd_tui.dashboard.logs.line_ring import Ring
from pyd_tui.dashboard.render.events import CONTAINER_NAME, is_worth_showing
from pyd_tui.dashboard.render.figures import SECOND

if TYPE_CHECKING:
    from pyd_core.client.provider import Provider

MAX_EVENTS = 5000
"""The number of events kept; older ones are dropped and counted."""

EventItem = Event | Gap


class Timeline:
    """The events since the dashboard started, and on request those that the engine remembers from before."""

    def __init__(self) -> None:
        self.items: Ring[EventItem] = Ring(MAX_EVENTS)
        self.complete = False
        """Whether the events that the engine remembers are included."""
        self._names: dict[str, str] = {}
        """The names of containers that events have, by id, also of removed ones."""

    def backfill(self, events: Iterable[Event], names: Mapping[str, str] | None = None) -> None:
        """Merge the events that the engine remembers, each once, in the order of time; see `apply`."""
        events = [self._with_container(event, names or {}) for event in events]
        known = {_identity(item) for item in self.items}
        merged = [*self.items, *(event for event in events if _identity(event) not in known)]
        dropped = self.items.dropped
        self.items.clear()
        self.items.extend(sorted(merged, key=_time_ns))
        self.items.dropped += dropped
        self.complete = True

    def _with_container(self, event: Event, names: Mapping[str, str]) -> Event:
        """Return an event of a network with the name of the container that was connected or disconnected."""
        if event.type == "container" and event.actor.attributes.get("name"):
            if len(self._names) >= MAX_EVENTS:
                self._names.clear()
            self._names[event.actor.id] = event.actor.attributes["name"]
        container = event.actor.attributes.get("container", "")
        name = names.get(container) or self._names.get(container)
        if event.type != "network" or not name:
            return event
        attributes = event.actor.attributes | {CONTAINER_NAME: name}
        return replace(event, actor=replace(event.actor, attributes=attributes))

    async def save_state(self, engine: Provider, now_ns: int, names: Mapping[str, str] | None = None) -> None:
        """Ask the engine once for its past events; engines keep some hundred."""
        if self.complete:
            return
        async with engine.system.events(since="1", until=api_timestamp(now_ns)) as stream:
            events = [event async for event in stream if is_worth_showing(event)]
        self.backfill(events, names)

    def apply(self, delta: Delta, names: Mapping[str, str] | None = None) -> bool:
        """Add the events of a delta, and return whether any is worth showing.

        Args:
            delta: The delta.
            names: The names of containers by id, for events that only have the id.
        """
        before = len(self.items) + self.items.dropped
        if delta.gap is not None:
            self.items.add(delta.gap)
        self.items.extend(self._with_container(event, names or {}) for event in delta.events if is_worth_showing(event))
        return len(self.items) + self.items.dropped != before

    def of(self, container: str) -> Ring[EventItem]:
        """Return the events of one container."""
        events: Ring[EventItem] = Ring(MAX_EVENTS)
        events.extend(item for item in self.items if isinstance(item, Event) and item.actor.id == container)
        return events


def _time_ns(item: EventItem) -> int:
    return item.until_ns if isinstance(item, Gap) else item.time_nano or item.time * SECOND


def _identity(item: EventItem) -> tuple[int, str, str]:
    return (_time_ns(item), "", "") if isinstance(item, Gap) else (_time_ns(item), item.action, item.actor.id)
