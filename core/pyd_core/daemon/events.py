"""The event bus: recent events and their listeners."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, Mapping

from pyd_core.model.event import Actor, Event

MAX_KEPT_EVENTS = 1024
"""Maximum number of events stored for `since`; Docker Engine stores 256."""

_WAITING = 4096
"""How many events a slow listener may be behind before it is disconnected, which bounds the memory."""


class EventBus:
    """Delivers events to listeners, and keeps recent ones."""

    def __init__(self) -> None:
        self._kept: deque[Event] = deque(maxlen=MAX_KEPT_EVENTS)
        self._listeners: set[asyncio.Queue[Event | None]] = set()
        self._last = 0

    @property
    def listeners(self) -> int:
        """Return the number of listeners."""
        return len(self._listeners)

    def emit(self, kind: str, action: str, key: str, attributes: Mapping[str, str] | None = None) -> None:
        """Emit an event about an object."""
        self._last = max(time.time_ns(), self._last + 1)  # strictly rising, so that resuming by time misses none
        event = Event(
            type=kind,
            action=action,
            actor=Actor(id=key, attributes=dict(attributes or {})),
            scope="local",
            time=self._last // 1_000_000_000,
            time_nano=self._last,
        )
        self._kept.append(event)
        for queue in list(self._listeners):
            if queue.qsize() >= _WAITING:
                self._listeners.discard(queue)
                queue.put_nowait(None)
            else:
                queue.put_nowait(event)

    async def listen(
        self, filters: Mapping[str, list[str]], *, since: int | None = None, until: int | None = None
    ) -> AsyncGenerator[Event, None]:
        """Yield events as they are emitted, after the stored ones if `since` or `until` is given.

        The stream also ends when the listener falls too far behind.

        Args:
            filters: Values by name, as in the API: `type`, `event`, `container`, `image`, `network`, `volume`, `label`
                or `scope`.
            since: Nanoseconds since the epoch.
            until: Nanoseconds since the epoch; the stream ends there.
        """
        queue: asyncio.Queue[Event | None] = asyncio.Queue()
        self._listeners.add(queue)
        try:
            if since is not None or until is not None:
                for event in list(self._kept):
                    if (
                        (since is None or event.time_nano >= since)
                        and (until is None or event.time_nano <= until)
                        and fits(event, filters)
                    ):
                        yield event
            while True:
                left = None if until is None else (until - time.time_ns()) / 1e9
                if left is not None and left <= 0:
                    return
                try:
                    event_ = await asyncio.wait_for(queue.get(), left)
                except TimeoutError:
                    return
                if event_ is None:
                    return
                if fits(event_, filters):
                    yield event_
        finally:
            self._listeners.discard(queue)


def fits(event: Event, filters: Mapping[str, list[str]]) -> bool:
    """Return whether an event matches the API's filters: values of a name are alternatives, names must all match."""
    return all(_holds(event, name, values) for name, values in filters.items() if values)


def _holds(event: Event, name: str, values: list[str]) -> bool:
    attributes = event.actor.attributes
    candidates: set[str]
    match name:
        case "type":
            candidates = {event.type}
        case "event":
            candidates = {event.action, event.verb}
        case "scope":
            candidates = {event.scope}
        case "label":
            return all(_has_label(attributes, value) for value in values)
        case "image":
            shown = {event.actor.id, attributes.get("name" if event.type == "image" else "image", "")}
            candidates = shown | {shown_name.rpartition(":")[0] for shown_name in shown}
            return not candidates.isdisjoint(values) or any(
                shown_name.startswith(tuple(values)) for shown_name in shown
            )
        case _:  # a kind of object: events of related objects don't match
            known = (event.actor.id, attributes.get("name", ""))
            return event.type == name and any(text.startswith(tuple(values)) for text in known)
    return not candidates.isdisjoint(values)


def _has_label(attributes: Mapping[str, str], requested: str) -> bool:
    name, equals, value = requested.partition("=")
    return name in attributes and (not equals or attributes[name] == value)
