"""An engine's events as they come, for tests that several make at once: engines keep only the last few hundred."""

from __future__ import annotations

import itertools
from threading import Condition, Event, Thread
from types import TracebackType
from typing import Self

from pyd_core.client.engine_choice import choose_endpoint
from pyd_core.client.transport.blocking import blocking_engine, run_now
from pyd_core.model.event import Event as Told
from support.docker import Docker

TIMEOUT_S = 120.0
"""Seconds until an event that doesn't come counts as lost."""


class Listener:
    """Hears an engine's events from its beginning on, as a recorder does; a context manager.

    Args:
        corner: The engine.
        image: An image of this run. Tagging it emits an event that marks the end of all earlier events.
    """

    def __init__(self, corner: Docker, image: str) -> None:
        self._corner = corner
        self._image = image
        self._heard: dict[str, list[Told]] = {}
        self._names: set[str] = set()
        self._changed = Condition()
        self._numbers = itertools.count(1)
        self._last = f"{corner.name('heard')}:last"
        self._begun = Event()
        self._thread = Thread(target=lambda: run_now(self._listen()), name="events", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._begun.wait(TIMEOUT_S), "the engine tells no events"
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._until(self._last)
        self._thread.join(TIMEOUT_S)

    def heard(self) -> dict[str, list[Told]]:
        """Return what has happened to containers until now, by id."""
        self._until(f"{self._corner.name('heard')}:{next(self._numbers)}")
        with self._changed:
            return {identity: list(events) for identity, events in self._heard.items()}

    def _until(self, name: str) -> None:
        """Wait until it has heard of an image's new name, and so of all before."""
        self._corner("tag", self._image, name)
        with self._changed:
            assert self._changed.wait_for(lambda: name in self._names, TIMEOUT_S), "the engine's events have ended"

    async def _listen(self) -> None:
        engine = blocking_engine(choose_endpoint(host=self._corner.host))
        async with engine.system.events() as events:
            self._begun.set()
            async for event in events:
                with self._changed:
                    if event.type == "container":
                        self._heard.setdefault(event.actor.id, []).append(event)
                    elif event.verb == "tag":
                        self._names.add(event.name.rpartition("/")[2])
                    self._changed.notify_all()
                    if self._last in self._names:
                        break
        await engine.aclose()
