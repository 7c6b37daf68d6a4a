"""Cancellable work on threads: a thread can't be stopped, so it checks at each step."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class Cancelled(Exception):
    """The client of the work has left; raised inside the work."""


async def on_thread(work: Callable[[Callable[[], None]], T], *, late: Callable[[T], None] = lambda _: None) -> T:
    """Run work on a thread; on cancellation return only once the thread has ended.

    Args:
        work: Gets a function to call at each step, which raises `Cancelled` after a cancellation. The work must then
            undo what it has begun.
        late: Gets the result of work that finished after its cancellation.
    """
    gone = threading.Event()

    def go_on() -> None:
        if gone.is_set():
            raise Cancelled

    working = asyncio.get_running_loop().run_in_executor(None, work, go_on)
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        gone.set()
        with contextlib.suppress(Exception):
            late(await working)
        raise
