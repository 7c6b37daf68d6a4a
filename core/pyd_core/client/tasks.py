"""Tasks of a swarm; only a manager answers."""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager

from pyd_core.client.api_client import ApiClient, segment
from pyd_core.client.transport.base import Stream
from pyd_core.model.task import Task

Filters = Mapping[str, list[str]]


class TasksApi:
    """`engine.tasks`: everything under `/tasks`."""

    def __init__(self, client: ApiClient) -> None:
        self._client = client

    async def list(self, *, filters: Filters | None = None) -> builtins.list[Task]:
        """Return the tasks, with those that ended a while ago; `filters` knows `service`, `node`, `desired-state`."""
        return await self._client.get("/tasks", list[Task], {"filters": filters})

    async def inspect(self, name: str) -> Task:
        """Return one task."""
        return await self._client.get(f"/tasks/{segment(name)}", Task)

    async def inspect_raw(self, name: str) -> bytes:
        """Return the engine's JSON unchanged."""
        return (await self._client.send("GET", f"/tasks/{segment(name)}")).body

    def logs(
        self, name: str, *, follow: bool = False, since: str | None = None, tail: int | None = None
    ) -> AbstractAsyncContextManager[Stream]:
        """Stream a task's output from its node, each line after its time; framed unless it has a TTY.

        Args:
            name: The task.
            follow: Continue with new output.
            since: Seconds since the epoch, with up to nine decimals.
            tail: Lines from the end; None is all.
        """
        query = {
            "follow": follow,
            "stdout": True,
            "stderr": True,
            "since": since,
            "timestamps": True,
            "tail": "all" if tail is None else tail,
        }
        return self._client.stream("GET", f"/tasks/{segment(name)}/logs", query)
