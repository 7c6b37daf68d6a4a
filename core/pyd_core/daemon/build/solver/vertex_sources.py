"""Sources of a graph: images, layouts, clients' directories, downloads and clones become results."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from pyd_core.daemon.build.interfaces import BuildProgress, BuildSession
from pyd_core.daemon.build.solver.graph import Vertex
from pyd_core.daemon.build.solver.reporter import VertexReporter
from pyd_core.daemon.build.solver.results import Result, VertexResult
from pyd_core.daemon.build.solver.sources import git as git_source
from pyd_core.daemon.build.solver.sources import http as http_source
from pyd_core.daemon.build.solver.sources import image as image_source
from pyd_core.daemon.build.solver.sources import local as local_source
from pyd_core.daemon.build.solver.sources import oci_layout
from pyd_core.daemon.build.solver.sources.git import GitSource
from pyd_core.daemon.build.solver.sources.http import HttpSource
from pyd_core.daemon.build.solver.sources.image import platform_text
from pyd_core.daemon.images.store import ImageRecord
from pyd_core.errors import Unsupported

if TYPE_CHECKING:
    from pyd_core.daemon.build.solver.solver import BuildSolver


class VertexSources:
    """Resolves the sources of graphs for a solver."""

    def __init__(self, solver: BuildSolver) -> None:
        self._solver = solver

    async def resolve(
        self, vertex: Vertex, *, session: BuildSession | None, progress: BuildProgress, held: ExitStack
    ) -> VertexResult:
        """Return the files of a source."""
        reporter = VertexReporter()
        reporter.subscribe(progress, vertex)
        reporter.start()
        try:
            result = await self._source(vertex, session, reporter, held)
        except BaseException as error:
            reporter.complete(str(error) or "canceled")
            raise
        reporter.complete()
        return result

    async def _source(
        self, vertex: Vertex, session: BuildSession | None, reporter: VertexReporter, held: ExitStack
    ) -> VertexResult:
        source = vertex.op.source
        identifier, attrs = source.identifier, dict(source.attrs)
        if identifier.startswith(image_source.SCHEME):
            record = await self._solver.sources.resolve(
                image_source.reference_of(identifier),
                platform=platform_text(vertex.op.platform),
                mode=attrs.get("image.resolvemode", ""),
                session=session,
                reporter=reporter,
            )
            return self._image(record, held)
        if identifier.startswith(image_source.ID_SCHEME):
            return self._image(self._solver.images.find(identifier.removeprefix(image_source.ID_SCHEME)), held)
        if identifier.startswith(oci_layout.SCHEME):
            image = oci_layout.LayoutImage.of_source(identifier, attrs, platform_text(vertex.op.platform), session)
            layers = await image.layers(self._solver.images, self._solver.snapshots, held, reporter)
            return VertexResult(f"layers:{_digest(layers)}", (Result(layers),))
        if identifier.startswith(local_source.SCHEME):
            tree, digest = await local_source.sync(
                self._solver.trees, identifier, attrs, session=session, reporter=reporter
            )
            held.callback(self._solver.trees.release, tree)
            return VertexResult(f"local:{digest}", (Result(local=tree),))
        if identifier.startswith(http_source.SCHEMES):
            return await self._downloaded(vertex, HttpSource.parse(identifier, attrs), session, held)
        if identifier.startswith(git_source.SCHEME):
            return await self._cloned(vertex, GitSource.parse(identifier, attrs), session, held)
        raise Unsupported(f"the source {identifier[:100]} isn't served", reference="not-served")

    def _image(self, record: ImageRecord, held: ExitStack) -> VertexResult:
        held.enter_context(self._solver.images.hold([record.id]))
        held.enter_context(self._solver.snapshots.hold(record.layers))
        layers = tuple(record.layers)
        return VertexResult(f"layers:{_digest(layers)}", (Result(layers),))

    async def _downloaded(
        self, vertex: Vertex, source: HttpSource, session: BuildSession | None, held: ExitStack
    ) -> VertexResult:
        upload = source.upload_identity(session)  # a client serves an upload once
        if upload and (known := self._known_source(upload, held)) is not None:
            return known
        with self._solver.snapshots.workspace() as directory:
            upper = directory / "upper"
            upper.mkdir(mode=0o755)
            identity = f"http:{await source.fetch(upper, session)}"
            return await self._keep_source(vertex, upload or identity, upper, held)

    async def _cloned(
        self, vertex: Vertex, source: GitSource, session: BuildSession | None, held: ExitStack
    ) -> VertexResult:
        async with AsyncExitStack() as stack:
            variables = await source.environment(stack, session)
            revision = await source.resolve(variables)
            repository = source.repository
            identity = f"git:{repository.url}#{revision}:{repository.directory}:{source.keeps_git_directory}"
            known = self._known_source(identity, held)
            if known is not None:
                return known
            directory = stack.enter_context(self._solver.snapshots.workspace())
            clone = directory / "clone"
            clone.mkdir(mode=0o755)
            inside = await source.fetch(clone, variables)
            return await self._keep_source(vertex, identity, inside, held)

    def _known_source(self, identity: str, held: ExitStack) -> VertexResult | None:
        record = self._solver.records.find(identity)
        if record is None or not all(map(self._solver.snapshots.exists, record.stack(0))):
            return None
        held.enter_context(self._solver.snapshots.hold(record.stack(0)))
        return VertexResult(identity, (Result(record.stack(0)),))

    async def _keep_source(self, vertex: Vertex, identity: str, upper: Path, held: ExitStack) -> VertexResult:
        """Make a layer of a source's files, unless there is one."""
        known = self._known_source(identity, held)
        if known is not None:
            return known
        layer = self._solver.snapshots.commit(upper)
        self._solver.snapshots.add_pending(await asyncio.to_thread(self._solver.snapshots.measure, layer))
        held.enter_context(self._solver.snapshots.hold([layer]))
        result = VertexResult(identity, (Result((layer,)),))
        self._solver.remember(vertex, [identity], result)
        return result


def _digest(layers: Sequence[str]) -> str:
    return hashlib.sha256("\0".join(layers).encode()).hexdigest()
