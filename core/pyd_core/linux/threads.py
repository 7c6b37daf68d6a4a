"""Work on a thread of its own that becomes something first: namespaces and file ids are a thread's, not a process's."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def in_thread(enter: Callable[[], None], work: Callable[[], T]) -> T:
    """Runs work on a thread that does `enter` first and ends after: no other thread is changed."""
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
