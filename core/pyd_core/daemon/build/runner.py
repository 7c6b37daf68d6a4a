"""The running of builds: each has a reference, a session, progress, and a place in the history."""

from __future__ import annotations

import asyncio

from grpclib.const import Status
from grpclib.exceptions import GRPCError

from pyd_core.daemon.build.build import Build, BuildTools
from pyd_core.daemon.build.failures import failure, to_message
from pyd_core.daemon.build.history import BuildHistory, describe
from pyd_core.daemon.build.progress import ProgressLog
from pyd_core.daemon.build.session.registry import BuildSessions
from pyd_core.daemon.build.session.request_body import RequestBody, RequestBodySession
from pyd_core.daemon.build.solve_request import SolveRequest
from pyd_core.errors import Conflict, PydError

MAX_BUILDS = 200
LINGER_S = 60.0
"""How long the progress of a build that isn't kept can still be read: clients may ask when it has ended already."""


class BuildRunner:
    """Runs builds.

    Args:
        sessions: The open sessions.
        tools: The parts of the engine that builds use.
        history: Keeps finished builds.
    """

    def __init__(self, sessions: BuildSessions, tools: BuildTools, history: BuildHistory) -> None:
        self._sessions = sessions
        self._tools = tools
        self._history = history
        self._running: dict[str, Build] = {}
        self._ended: dict[str, Build] = {}

    def __len__(self) -> int:
        return len(self._running)

    def find(self, ref: str) -> Build | None:
        """Return a running build."""
        return self._running.get(ref)

    def find_progress(self, ref: str) -> ProgressLog | None:
        """Return the progress of a build that runs, or has just ended."""
        build = self._running.get(ref) or self._ended.get(ref)
        return build.progress if build is not None else None

    def _linger(self, build: Build) -> None:
        ref = build.request.ref
        self._ended[ref] = build
        asyncio.get_running_loop().call_later(LINGER_S, self._ended.pop, ref, None)
        while len(self._ended) > MAX_BUILDS:
            del self._ended[next(iter(self._ended))]

    async def run(self, request: SolveRequest) -> dict[str, str]:
        """Run a build, and return its exporters' responses.

        Raises:
            GRPCError: It failed.
            Conflict: A build of that reference runs, or there are too many.
            NotFound: Its session isn't open.
        """
        self._check(request.ref)
        session = await self._sessions.get(request.session_id)
        self._check(request.ref)
        return await self.execute(Build(request, session, self._tools))

    async def prepare(self, request: SolveRequest, body: RequestBody | None) -> Build:
        """Return a build that `execute` runs, with the body of its request as its context.

        Raises:
            Conflict: A build of that reference runs, or there are too many.
            NotFound: Its session isn't open.
        """
        session = await self._sessions.get(request.session_id)
        self._check(request.ref)
        source = RequestBodySession(body, session) if body is not None else session
        return Build(request, source, self._tools)

    def _check(self, ref: str) -> None:
        if ref in self._running:
            raise Conflict(f"build {ref} already exists")
        if len(self._running) >= MAX_BUILDS:
            raise Conflict("there are too many builds")

    async def execute(self, build: Build) -> dict[str, str]:
        """Run a build that was made elsewhere.

        Raises:
            GRPCError: It failed.
        """
        request = build.request
        self._running[request.ref] = build
        if not request.is_internal:
            self._history.start(build)
        error: GRPCError | None = GRPCError(Status.CANCELLED, "the build was canceled")
        response: dict[str, str] = {}
        try:
            response = await build.run()
            error = None
        except GRPCError as caught:
            error = caught
            raise
        except (PydError, OSError) as caught:
            error = failure(caught) if isinstance(caught, PydError) else GRPCError(Status.UNKNOWN, str(caught))
            raise error from caught
        finally:
            self._running.pop(request.ref, None)
            if request.is_internal:
                self._linger(build)
            else:
                record = describe(build)
                record.ExporterResponse.update(response)
                if error is not None:
                    record.error.CopyFrom(to_message(error))
                self._history.finish(build, record)
        return response
