"""Delays between attempts to reach an engine."""

from __future__ import annotations

MIN_DELAY_S = 0.1
MAX_DELAY_S = 5.0


class Backoff:
    """Delays that double from a tenth of a second to five seconds.

    Nothing notifies a client that a socket accepts connections again, so this is the only place that polls.
    """

    def __init__(self, min_delay_s: float = MIN_DELAY_S, max_delay_s: float = MAX_DELAY_S) -> None:
        self._min_delay_s = min_delay_s
        self._max_delay_s = max_delay_s
        self._next = min_delay_s

    def reset(self) -> None:
        """Note a success: the next delay is the shortest again."""
        self._next = self._min_delay_s

    async def wait(self) -> None:
        """Wait, twice as long each time."""
        import asyncio  # noqa: PLC0415 - one-shot commands start without an event loop

        seconds, self._next = self._next, min(self._next * 2, self._max_delay_s)
        await asyncio.sleep(seconds)
