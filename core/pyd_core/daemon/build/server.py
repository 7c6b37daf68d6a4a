"""BuildKit's server: sessions, builds and their services, made when the first client opens a connection."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

from pyd_core.buildkit.rpc.server import serve
from pyd_core.daemon.build.build import BuildTools
from pyd_core.daemon.build.frontends import Frontends
from pyd_core.daemon.build.grpc.bridge import LlbBridge
from pyd_core.daemon.build.grpc.control import Control
from pyd_core.daemon.build.grpc.health import service as health_service
from pyd_core.daemon.build.grpc.worker import worker
from pyd_core.daemon.build.history import BuildHistory
from pyd_core.daemon.build.interfaces import Exporters, Solver
from pyd_core.daemon.build.kept_failures import KeptFailures
from pyd_core.daemon.build.runner import BuildRunner
from pyd_core.daemon.build.session.registry import BuildSessions
from pyd_core.daemon.store import Store


class BuildServer:
    """The build server of an engine.

    Args:
        engine_id: The worker's id.
        host_gateway: Returns the host's address in the network of steps.
        root: The directory for what is kept of builds.
        sockets: The directory for forwarded agents' sockets.
        store: The engine's records.
        solver: Executes definitions.
        exporters: Exports results.
    """

    def __init__(
        self,
        *,
        engine_id: str,
        host_gateway: Callable[[], Awaitable[str]],
        root: Path,
        sockets: Path,
        store: Store,
        solver: Solver,
        exporters: Exporters,
    ) -> None:
        self.sessions = BuildSessions(sockets)
        self.history = BuildHistory(store, root / "history")
        failures = KeptFailures()
        tools = BuildTools(solver=solver, exporters=exporters, frontends=Frontends(), failures=failures)
        self.runner = BuildRunner(self.sessions, tools, self.history)
        own = partial(worker, engine_id, host_gateway)
        self._services: list[Any] = [
            Control(self.runner, solver, self.history, failures, own),
            LlbBridge(self.runner.find, own),
            health_service(),
        ]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, trailing: bytes) -> None:
        """Serve BuildKit's services on a connection until it ends; its calls end with it."""
        await serve(self._services, reader, writer, trailing)
