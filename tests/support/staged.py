"""Deaths staged several at a time: engines wait more than they work, and the table of them is long."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from types import TracebackType
from typing import Self

import pytest

from pyd_core.engine.choice import choose_endpoint
from pyd_core.engine.transport.blocking import blocking_engine, run_now
from pyd_core.triage.ask import explain
from pyd_core.triage.verdict import Verdict
from support.docker import Docker
from support.stages import stage
from support.staging import Stage

AT_ONCE = 4
"""More would push each other's events out of the engine's memory, which holds the last 256."""

TRIES = 3
"""Others on the engine make events too: what it has forgotten by the time it is asked is staged again."""


def ask(host: str, name: str) -> Verdict:
    """The verdict on a container, by a connection of its own."""
    engine = blocking_engine(choose_endpoint(host=host))
    try:
        return run_now(explain(engine, name))
    finally:
        run_now(engine.aclose())


class Staged:
    """Stages, judges and removes on a few threads; a context manager that leaves none behind.

    Args:
        corner: The engine.
        image: In which they are staged.
        stages: Which.
    """

    def __init__(self, corner: Docker, image: str, stages: Sequence[Stage]) -> None:
        self._corner = corner
        self._image = image
        self._judging = Lock()
        """Verdicts are made one at a time, as their users make them; what takes long is the staging."""
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="stage")
        self._verdicts: dict[str, Future[Verdict]] = {
            this.short: self._threads.submit(self._work, this) for this in stages
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._threads.shutdown(wait=True, cancel_futures=True)

    def verdict(self, this: Stage) -> Verdict:
        """Waits for one's verdict; what went wrong while it was staged is raised here."""
        return self._verdicts[this.short].result()

    def _work(self, this: Stage) -> Verdict:
        name = self._corner.name(this.short)
        for _ in range(TRIES):
            verdict = self._once(this, name)
            if not any(one.source == "events" for one in verdict.unread):
                break
        return verdict

    def _once(self, this: Stage, name: str) -> Verdict:
        try:
            stage(self._corner, self._image, this)
            with self._judging:
                return ask(self._corner.host, name)
        finally:
            if this.lives:  # to Podman, removing is first of all a stop with its grace period
                self._corner("kill", name, check=False)
            self._corner("rm", "-f", "-v", name, check=False)


def chosen(request: pytest.FixtureRequest, test: Callable[..., object]) -> list[Stage]:
    """The stages that this run's choice of tests (`-k`) will ask for, in their order."""
    return [
        item.callspec.params["this"]
        for item in request.session.items
        if isinstance(item, pytest.Function) and item.function is test and hasattr(item, "callspec")
    ]
