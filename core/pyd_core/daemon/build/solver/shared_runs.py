"""Runs that several builds wait for: the same operation is run once at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from pyd_core.daemon.build.interfaces import BuildProgress
from pyd_core.daemon.build.solver.graph import Vertex
from pyd_core.daemon.build.solver.reporter import VertexReporter
from pyd_core.daemon.build.solver.results import VertexResult
from pyd_core.tasks import TaskOwner

Work = Callable[[VertexReporter], Coroutine[Any, Any, VertexResult]]


class _Run:
    def __init__(self) -> None:
        self.reporter = VertexReporter()
        self.waiting = 0
        self.task: asyncio.Task[VertexResult] | None = None


class SharedRuns:
    """The operations that run now, by what identifies their results."""

    def __init__(self, tasks: TaskOwner) -> None:
        self._tasks = tasks
        self._runs: dict[str, _Run] = {}

    async def run(self, identity: str, progress: BuildProgress, vertex: Vertex, work: Work) -> VertexResult:
        """Run an operation, or wait for the one that runs already; it is cancelled when nothing waits any more.

        The work of a build that has failed while others wait is done again for them, since it may have failed for want
        of what only their clients have.
        """
        while True:
            run = self._runs.get(identity)
            is_own = run is None
            if run is None:
                run = self._runs[identity] = _Run()
                run.reporter.subscribe(progress, vertex)
                run.task = self._tasks.start(self._work(identity, run, work), name=f"build: {vertex.name[:60]}")
            else:
                run.reporter.subscribe(progress, vertex)
            assert run.task is not None  # noqa: S101 - set with the run
            run.waiting += 1
            try:
                return await asyncio.shield(run.task)
            except asyncio.CancelledError:
                if run.task.cancelled() and not _is_cancelling():
                    continue
                raise
            except Exception:
                if is_own:
                    raise
                if self._runs.get(identity) is run:
                    del self._runs[identity]
            finally:
                run.waiting -= 1
                if not run.waiting and not run.task.done():
                    if self._runs.get(identity) is run:
                        del self._runs[identity]
                    run.task.cancel()
                    await asyncio.wait({run.task})
                run.reporter.unsubscribe(progress)

    async def _work(self, identity: str, run: _Run, work: Work) -> VertexResult:
        run.reporter.start()
        try:
            result = await work(run.reporter)
        except BaseException as error:
            run.reporter.complete("canceled" if isinstance(error, asyncio.CancelledError) else str(error))
            raise
        else:
            run.reporter.complete()
            return result
        finally:
            if self._runs.get(identity) is run:
                del self._runs[identity]


def _is_cancelling() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
