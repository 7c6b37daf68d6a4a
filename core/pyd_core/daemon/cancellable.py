"""Work on a thread that is given up when nobody waits for it any more: threads can't be cancelled, only asked."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class Cancelled(Exception):
    """Raised inside of the work: its client has left."""


async def on_thread(work: Callable[[Callable[[], None]], T], *, late: Callable[[T], None] = lambda _: None) -> T:
    """Runs work on a thread; where it is cancelled, it returns only once the thread has ended too.

    Args:
        work: Given a function to call at each of its steps, which raises `Cancelled` there once nobody waits. What the
            work has begun it must take away on its way out.
        late: Given the result of work that came to its end although nobody waited any more.
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
