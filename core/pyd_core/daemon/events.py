"""What happened: events of the last while, and everyone who listens."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, Mapping

from pyd_core.model.event import Actor, Event

KEPT = 1024
"""Events kept for `since`; Docker Engine keeps 256."""

_WAITING = 4096
"""Events a slow listener may be behind before it is cut off, so that it can't eat the memory."""


class EventBus:
    """Hands events to listeners, and to those who ask later."""

    def __init__(self) -> None:
        self._kept: deque[Event] = deque(maxlen=KEPT)
        self._listeners: set[asyncio.Queue[Event | None]] = set()
        self._last = 0

    @property
    def listeners(self) -> int:
        """How many listen."""
        return len(self._listeners)

    def emit(self, kind: str, action: str, key: str, attributes: Mapping[str, str] | None = None) -> None:
        """Tells that something happened to an object."""
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
        """Yields events, first the kept ones when `since` or `until` is given.

        Args:
            filters: As the API has them: `type`, `event`, `container`, `image`, `network`, `volume`, `label`, `scope`.
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
    """Whether an event passes the API's filters: values of one name are alternatives, names must all hold."""
    return all(_holds(event, name, values) for name, values in filters.items() if values)


def _holds(event: Event, name: str, values: list[str]) -> bool:
    attributes = event.actor.attributes
    found: set[str]
    match name:
        case "type":
            found = {event.type}
        case "event":
            found = {event.action, event.verb}
        case "scope":
            found = {event.scope}
        case "label":
            return all(_label(attributes, value) for value in values)
        case "image":
            shown = {event.actor.id, attributes.get("name" if event.type == "image" else "image", "")}
            found = shown | {each.rpartition(":")[0] for each in shown}
            return not found.isdisjoint(values) or any(each.startswith(tuple(values)) for each in shown)
        case _:  # a kind of object: what happened to others that have to do with it doesn't pass
            known = (event.actor.id, attributes.get("name", ""))
            return event.type == name and any(each.startswith(tuple(values)) for each in known)
    return not found.isdisjoint(values)


def _label(attributes: Mapping[str, str], wanted: str) -> bool:
    name, equals, value = wanted.partition("=")
    return name in attributes and (not equals or attributes[name] == value)
