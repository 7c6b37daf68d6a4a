"""State of a container that the recorder follows."""

from __future__ import annotations

import asyncio
from collections import deque

from pyd_core.model.container import Container
from pyd_core.model.event import Event
from pyd_core.watch.output_tail import OutputTail

MAX_EVENTS = 64
"""Events kept of each container's present run."""


class TrackedContainer:
    """A container that is recorded while it runs."""

    def __init__(self) -> None:
        self.events: deque[Event] = deque(maxlen=MAX_EVENTS)
        self.container: Container | None = None
        self.tail: OutputTail | None = None
        self.listening: asyncio.Task[None] | None = None
        self.has_past_output = False
        """Whether the tail starts with the first output, even if it was attached later."""
        self.memory_peak: int | None = None
        self.pending_verdicts = 0
        self.deaths: deque[int] = deque(maxlen=MAX_EVENTS)
        """Times of its deaths, from events."""

    def stop_listening(self) -> None:
        """Stop following its output, which can be read later."""
        if self.listening is not None:
            self.listening.cancel()
        self.tail = self.listening = None
