"""The newest events, so that listening can resume after an interruption without duplicates or losses."""

from __future__ import annotations

from collections import OrderedDict

from pyd_core.model.event import Event

MAX_EVENTS = 1024
"""Docker Engine remembers its last 256 events (moby, daemon/events, eventsLimit) and replays no more."""

MARGIN_NS = 1_000_000_000
"""Overlap when resuming: engines take an event's time before they order it."""

_EventKey = tuple[int, str, str, str]


class EventHistory:
    """Identities of the newest events."""

    def __init__(self, max_events: int = MAX_EVENTS) -> None:
        self._max_events = max_events
        self._keys: OrderedDict[_EventKey, None] = OrderedDict()
        self._last_ns = 0

    @property
    def resume_ns(self) -> int | None:
        """The time to resume from, nanoseconds by the engine's clock; None without any event."""
        if not self._keys:
            return None
        oldest, since = next(iter(self._keys))[0], self._last_ns - MARGIN_NS
        return max(since, oldest) if oldest <= self._last_ns else since

    def add(self, event: Event) -> bool:
        """Record an event and return whether it is new."""
        time_ns = event.time_nano or event.time * 1_000_000_000
        key = (time_ns, event.type, event.action, event.actor.id)
        if key in self._keys:
            return False
        self._keys[key] = None
        self._last_ns = time_ns  # the last one's, not the greatest: the engine's clock may have been set back
        if len(self._keys) > self._max_events:
            self._keys.popitem(last=False)
        return True
