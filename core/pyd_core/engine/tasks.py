"""Tasks of a swarm; only a manager answers."""

from __future__ import annotations

import builtins
from collections.abc import Mapping

from pyd_core.engine.session import Session, segment
from pyd_core.model.task import Task

Filters = Mapping[str, list[str]]


class Tasks:
    """`engine.tasks`: everything under `/tasks`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def list(self, *, filters: Filters | None = None) -> builtins.list[Task]:
        """Returns the tasks, with those that ended a while ago; `filters` knows `service`, `node`, `desired-state`."""
        return await self._session.get("/tasks", list[Task], {"filters": filters})

    async def inspect(self, name: str) -> Task:
        """Returns one task."""
        return await self._session.get(f"/tasks/{segment(name)}", Task)

    async def inspect_raw(self, name: str) -> bytes:
        """Returns the engine's JSON untouched."""
        return (await self._session.send("GET", f"/tasks/{segment(name)}")).body
