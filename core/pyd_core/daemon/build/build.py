"""A build: solves what its client requests, exports the result, and releases everything at its end."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyd_core.buildkit.proto import gateway_pb2, ops_pb2
from pyd_core.daemon.build.failures import failure, from_message
from pyd_core.daemon.build.interfaces import (
    BuildContainer,
    BuildRef,
    BuildSession,
    Exporters,
    ExportRequest,
    FrontendResult,
    SolveOptions,
    Solver,
    VertexError,
)
from pyd_core.daemon.build.kept_failures import KeptFailure, KeptFailures
from pyd_core.daemon.build.progress import ProgressLog
from pyd_core.daemon.build.solve_request import SolveRequest, imports_of
from pyd_core.errors import InvalidInput, NotFound, PydError

if TYPE_CHECKING:
    from pyd_core.daemon.build.frontends import Frontends

MAX_REFS = 10_000
"""Results that a client may hold at a time."""


@dataclass(frozen=True, kw_only=True)
class BuildTools:
    """The parts of the engine that a build uses."""

    solver: Solver
    exporters: Exporters
    frontends: Frontends
    failures: KeptFailures


class Build:
    """A running build.

    Attributes:
        progress: What has happened so far.
        sources: The sources of all definitions that were solved: they know the lines of vertices.
        file: The Dockerfile, once it is read.
        frontend: The last front end that ran, which the client may request in the middle of the build.
        attributes: Its attributes.
    """

    def __init__(self, request: SolveRequest, session: BuildSession | None, tools: BuildTools) -> None:
        self.request = request
        self.session = session
        self.progress = ProgressLog()
        self.created_ns = time.time_ns()
        self.completed_ns = 0
        self.sources: list[ops_pb2.Source] = []
        self.file: ops_pb2.SourceInfo | None = None
        self.frontend = ""
        self.attributes: Mapping[str, str] = {}
        self.containers: dict[str, BuildContainer] = {}
        self._tools = tools
        self._refs: dict[str, BuildRef] = {}
        self._definitions: dict[str, ops_pb2.Definition] = {}
        self._returned: asyncio.Future[FrontendResult] | None = None
        self._failure: VertexError | None = None
        self._entered: KeptFailure | None = None

    async def run(self) -> dict[str, str]:
        """Build and export; return the exporters' responses.

        Raises:
            GRPCError: The build failed, with details for its client.
        """
        try:
            try:
                result = await self._result()
                return await self._export(result)
            except PydError as error:
                raise failure(error, self.sources, self.file) from error
        finally:
            self.completed_ns = time.time_ns()
            self.progress.end()
            await self._release()

    async def _result(self) -> FrontendResult:
        request = self.request
        if request.frontend:
            return await self.solve_frontend(request.frontend, request.attributes, request.inputs)
        if request.definition is not None:
            ref = await self.solve(request.definition, imports=request.cache_imports)
            return FrontendResult(refs={"": ref}, definitions={"": request.definition})
        self._returned = asyncio.get_running_loop().create_future()
        return await self._returned

    async def _export(self, result: FrontendResult) -> dict[str, str]:
        request = self.request
        if not request.exporters and not request.cache_exports:
            for ref in result.refs.values():
                if ref is not None:
                    await ref.evaluate()
            return {}
        return await self._tools.exporters.export(
            ExportRequest(
                build_id=request.ref,
                started_ns=self.created_ns,
                exporters=request.exporters,
                cache_exports=request.cache_exports,
                frontend=self.frontend,
                frontend_attrs=dict(self.attributes),
            ),
            result,
            session=self.session,
            progress=self.progress,
        )

    async def _release(self) -> None:
        for container in self.containers.values():
            with contextlib.suppress(PydError, OSError):
                await container.release()
        self.containers.clear()
        if self._entered is not None:
            self._entered.users -= 1
            for state in self._entered.states():
                self._refs.pop(state.id, None)
        elif self._failure is not None and self._failure.mounts:
            kept = KeptFailure(self._failure, self.sources, self.file)
            for state in kept.states():
                self._refs.pop(state.id, None)
            await self._tools.failures.add(self.request.ref, kept)
        for ref in self._refs.values():
            with contextlib.suppress(PydError, OSError):
                await ref.release()
        self._refs.clear()

    # What the build's client, or its front end, requests

    async def solve(
        self,
        definition: ops_pb2.Definition,
        *,
        imports: tuple[object, ...] = (),
        evaluate: bool = True,
    ) -> BuildRef | None:
        """Solve a definition; the result is kept until the build ends.

        Raises:
            PydError: It failed.
        """
        self.sources.append(definition.Source)
        options = SolveOptions(
            build_id=self.request.ref,
            entitlements=self.request.entitlements,
            cache_imports=tuple(imports) or self.request.cache_imports,  # type: ignore[arg-type]
            evaluate=evaluate,
            keep_failure=True,
        )
        try:
            ref = await self._tools.solver.solve(
                definition, session=self.session, progress=self.progress, options=options
            )
        except VertexError as error:
            if error.mounts:
                self._failure = error
            for state in (*error.inputs, *error.mounts):
                if state is not None:
                    self.keep(state, ops_pb2.Definition())
            raise
        if ref is not None:
            self.keep(ref, definition)
        return ref

    def enter_failure(self, reference: str) -> VertexError:
        """Return the failure of an earlier build, whose files are this build's until it ends.

        Raises:
            NotFound: None is kept.
        """
        failure = self._tools.failures.find(reference)
        if self._entered is not None:
            raise InvalidInput("a build enters one failure")
        failure.users += 1
        self._entered = failure
        for state in failure.states():
            self.keep(state, ops_pb2.Definition())
        self.sources, self.file = failure.sources, failure.file
        return failure.error

    def keep(self, ref: BuildRef, definition: ops_pb2.Definition) -> None:
        """Keep a result until the build ends."""
        if len(self._refs) >= MAX_REFS:
            raise InvalidInput("the build holds too many results")
        self._refs[ref.id] = ref
        self._definitions[ref.id] = definition

    async def solve_frontend(
        self, frontend: str, attributes: Mapping[str, str], inputs: Mapping[str, ops_pb2.Definition]
    ) -> FrontendResult:
        """Run a front end.

        Raises:
            PydError: It failed, or there is no such front end.
        """
        self.frontend, self.attributes = frontend, dict(attributes)
        imports = imports_of(attributes)
        return await self._tools.frontends.run(self, frontend, attributes, inputs, imports)

    async def image_config(
        self, reference: str, *, platform: ops_pb2.Platform | None, resolve_mode: str
    ) -> tuple[str, bytes]:
        """Return digest and configuration of an image.

        Raises:
            NotFound: No such image.
        """
        return await self._tools.solver.image_config(
            reference, platform=platform, resolve_mode=resolve_mode, session=self.session, progress=self.progress
        )

    async def open_container(
        self, request: gateway_pb2.NewContainerRequest, mounts: list[BuildRef | None]
    ) -> BuildContainer:
        """Open a container on results, until the build ends.

        Raises:
            InvalidInput: The id is taken.
        """
        if not request.ContainerID or request.ContainerID in self.containers:
            raise InvalidInput(f"the container id {request.ContainerID[:64]!r} is empty or taken")
        container = await self._tools.solver.new_container(
            request, mounts=mounts, session=self.session, progress=self.progress
        )
        self.containers[request.ContainerID] = container
        return container

    def ref(self, ref_id: str) -> BuildRef:
        """Return a result by its id.

        Raises:
            NotFound: The build holds no such result.
        """
        ref = self._refs.get(ref_id)
        if ref is None:
            raise NotFound(f"no such ref: {ref_id[:100]}")
        return ref

    def definition(self, ref_id: str) -> ops_pb2.Definition | None:
        """Return the definition behind a result."""
        return self._definitions.get(ref_id)

    def finish(self, result: FrontendResult) -> None:
        """Take the result that the client returns.

        Raises:
            InvalidInput: The client isn't expected to return one.
        """
        self._returnable().set_result(result)

    def fail(self, status: gateway_pb2.ReturnRequest) -> None:
        """Take the error that the client returns.

        Raises:
            InvalidInput: The client isn't expected to return one.
        """
        self._returnable().set_exception(from_message(status.error))

    def _returnable(self) -> asyncio.Future[FrontendResult]:
        if self._returned is None or self._returned.done():
            raise InvalidInput("the build expects no result from its client")
        return self._returned
