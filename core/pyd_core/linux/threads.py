"""Work on a thread that is somewhere else than the process: namespaces are a thread's, not a process's (setns(2))."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def elsewhere(enter: Callable[[], None], work: Callable[[], T]) -> T:
    """Runs work on a thread of its own that enters a namespace first and ends after: no other thread is moved."""
    results: list[T] = []
    failures: list[BaseException] = []

    def body() -> None:
        try:
            enter()
            results.append(work())
        except BaseException as error:  # noqa: BLE001 - raised again on the caller's thread
            failures.append(error)

    thread = threading.Thread(target=body, name="elsewhere")
    thread.start()
    thread.join()
    if failures:
        raise failures[0]
    return results[0]
