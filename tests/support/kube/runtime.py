"""The runtime of a scripted cluster's containers."""

from __future__ import annotations

import asyncio
from typing import Protocol

from support.kube.logs import StoredLogs
from support.kube.objects import Object
from support.kube.wire import Answer, Request

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Runtime(Protocol):
    """Runs the containers of pods."""

    async def logs(self, request: Request, pod: Object, container: str, writer: asyncio.StreamWriter) -> Answer | None:
        """Answer with a log; None where it was streamed."""

    def exec_command(self, pod: Object, container: str, command: list[str], *, tty: bool) -> list[str]:
        """Return the program of this machine that runs a command in a container."""

    def attach_command(self, pod: Object, container: str) -> list[str]:
        """Return the program of this machine that leads to a container's own streams."""

    async def connect(self, pod: Object, port: int) -> Connection:
        """Connect to a port of a pod; raises OSError."""


class LocalRuntime:
    """No containers: commands run on this machine, and logs are those that were stored."""

    def __init__(self, logs: StoredLogs) -> None:
        self._logs = logs

    async def logs(self, request: Request, pod: Object, container: str, writer: asyncio.StreamWriter) -> Answer | None:
        """Answer with the stored log."""
        return await self._logs.serve(request, pod, container, writer)

    def exec_command(self, pod: Object, container: str, command: list[str], *, tty: bool) -> list[str]:
        """Return the command itself."""
        del pod, container, tty
        return command

    def attach_command(self, pod: Object, container: str) -> list[str]:
        """Return the container's own command, as a new process."""
        spec = pod["spec"]
        for entry in [*spec["containers"], *spec.get("ephemeralContainers", [])]:
            if entry["name"] == container:
                return [*entry.get("command", []), *entry.get("args", [])] or ["cat"]
        return ["cat"]

    async def connect(self, pod: Object, port: int) -> Connection:
        """Connect to a port of this machine."""
        del pod
        return await asyncio.open_connection("127.0.0.1", port)
