"""Work on separate threads: namespaces and file ids belong to a thread, not to a process."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def in_thread(enter: Callable[[], None], work: Callable[[], T]) -> T:
    """Run work after `enter` on a thread of its own, so that no other thread is changed."""
    results: list[T] = []
    failures: list[BaseException] = []

    def body() -> None:
        try:
            enter()
            results.append(work())
        except BaseException as error:  # noqa: BLE001 - raised again on the caller's thread
            failures.append(error)

    thread = threading.Thread(target=body, name="apart")
    thread.start()
    thread.join()
    if failures:
        raise failures[0]
    return results[0]
