"""Waiting before trying an engine again."""

from __future__ import annotations

SHORTEST = 0.1
LONGEST = 5.0


class Backoff:
    """Waits that double from a tenth of a second to five seconds.

    Nothing tells a client that a socket answers again, so this is the one place where the clock is asked.
    """

    def __init__(self, shortest: float = SHORTEST, longest: float = LONGEST) -> None:
        self._shortest = shortest
        self._longest = longest
        self._next = shortest

    def reset(self) -> None:
        """It worked: the next failure starts with the shortest wait again."""
        self._next = self._shortest

    async def wait(self) -> None:
        """Wait, longer each time."""
        import asyncio  # noqa: PLC0415 - one-shot verbs follow nothing and start without an event loop

        seconds, self._next = self._next, min(self._next * 2, self._longest)
        await asyncio.sleep(seconds)
