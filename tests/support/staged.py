"""Deaths staged several at a time: engines wait more than they work, and the table of them is long."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from types import TracebackType
from typing import Self, cast

import pytest

from pyd_core.client.engine_choice import choose_endpoint
from pyd_core.client.transport.blocking import blocking_engine, run_now
from pyd_core.model.event import Event
from pyd_core.triage.api import explain
from pyd_core.triage.collect.gather import SharedEvidence
from pyd_core.triage.verdict import Verdict
from support.docker import Docker
from support.listening import Listener
from support.stages import stage
from support.staging import Stage

MAX_CONCURRENT_STAGES = 2 if "PYD_VM" in os.environ else 4
"""Under emulation it is the processor that is waited for, and engines give up on a container that takes long."""


def ask(host: str, name: str, *, events: dict[str, list[Event]] | None = None) -> Verdict:
    """The verdict on a container, by a connection of its own.

    Args:
        host: The engine.
        name: The container.
        events: What was heard of all containers; None asks the engine what it remembers.
    """
    engine = blocking_engine(choose_endpoint(host=host))
    try:
        around = run_now(SharedEvidence.of(engine))
        around.events = events
        return run_now(explain(engine, name, shared=around))
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
        self._listener = Listener(corner, image)
        """Several deaths at once push each other's events out of the engine's memory, which may hold the last 256."""
        self._threads = ThreadPoolExecutor(MAX_CONCURRENT_STAGES, thread_name_prefix="stage")
        self._stages = stages
        self._verdicts: dict[str, Future[Verdict]] = {}

    def __enter__(self) -> Self:
        self._listener.__enter__()
        self._verdicts = {this.short: self._threads.submit(self._work, this) for this in self._stages}
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._threads.shutdown(wait=True, cancel_futures=True)
        self._listener.__exit__(exc_type, exc, tb)

    def verdict(self, this: Stage) -> Verdict:
        """Wait for one's verdict; what went wrong while it was staged is raised here."""
        return self._verdicts[this.short].result()

    def _work(self, this: Stage) -> Verdict:
        name = self._corner.name(this.short)
        try:
            stage(self._corner, self._image, this)
            with self._judging:
                return ask(self._corner.host, name, events=self._listener.heard())
        finally:
            if this.lives:  # to Podman, removing is first of all a stop with its grace period
                self._corner("kill", name, check=False)
            self._corner("rm", "-f", "-v", name, check=False)


def chosen(request: pytest.FixtureRequest, test: Callable[..., object]) -> list[Stage]:
    """The stages that this run's choice of tests (`-k`) will ask for, in their order."""
    return [
        cast("Stage", item.callspec.params["this"])
        for item in request.session.items
        if isinstance(item, pytest.Function) and item.function is test and hasattr(item, "callspec")
    ]
