"""Ownership of asyncio tasks: every task is awaited, and no failure is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Self, TypeVar

T = TypeVar("T")


class TaskOwner:
    """Keeps the tasks of one object: holds a reference to each, reports failures, and cancels them on close.

    An `asyncio.TaskGroup` ends all its tasks when one fails, which suits a single job; an owner suits long-lived
    objects (a watcher, a log follower) whose parts may fail and be restarted on their own.

    Args:
        on_error: Called with the exception of a failed task; by default `aclose` raises it.
    """

    def __init__(self, on_error: Callable[[Exception], None] | None = None) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()
        self._on_error = on_error
        self._failures: list[Exception] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        await self.aclose()

    def start(self, work: Coroutine[Any, Any, T], *, name: str | None = None) -> asyncio.Task[T]:
        """Run a coroutine as a task of this owner."""
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: asyncio.Task[Any]) -> None:
        if task not in self._tasks:
            return
        self._tasks.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if isinstance(error, Exception):
            if self._on_error is not None:
                self._on_error(error)
            else:
                self._failures.append(error)

    def __len__(self) -> int:
        return len(self._tasks)

    async def aclose(self) -> None:
        """Cancel and await running tasks, then raise the failures that weren't reported."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for task in tasks:
            self._finished(task)  # from Python 3.12 on, gathering ended tasks doesn't run their callbacks first
        failures, self._failures = self._failures, []
        if failures:
            raise ExceptionGroup("background tasks failed", failures)
