"""The solver of an engine: its cache, its layers, and what runs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager

from pyd_core.buildkit.proto import control_pb2, gateway_pb2, ops_pb2
from pyd_core.daemon import rmtree
from pyd_core.daemon.build.interfaces import BuildProgress, BuildRef, BuildSession, PruneOptions, SolveOptions
from pyd_core.daemon.build.solver import layer_ops
from pyd_core.daemon.build.solver.begun_solve import BegunSolve
from pyd_core.daemon.build.solver.cache_config import CacheLayer, TraceEntry
from pyd_core.daemon.build.solver.cache_imports import ImportedCache, open_caches
from pyd_core.daemon.build.solver.cache_mounts import CacheMounts
from pyd_core.daemon.build.solver.content_cache import ContentDigests
from pyd_core.daemon.build.solver.emulation import check_runnable
from pyd_core.daemon.build.solver.exec_step import StepRunner
from pyd_core.daemon.build.solver.file_step import FileStep
from pyd_core.daemon.build.solver.graph import Vertex, read_graph
from pyd_core.daemon.build.solver.local_trees import LocalTrees
from pyd_core.daemon.build.solver.records import CacheRecords, ResultRecord
from pyd_core.daemon.build.solver.refs import SolvedRef
from pyd_core.daemon.build.solver.reporter import VertexReporter
from pyd_core.daemon.build.solver.results import Result, VertexResult
from pyd_core.daemon.build.solver.shared_runs import SharedRuns
from pyd_core.daemon.build.solver.snapshots import SnapshotStore
from pyd_core.daemon.build.solver.solve import GraphSolve
from pyd_core.daemon.build.solver.sources.image import ImageSource, platform_text
from pyd_core.daemon.build.solver.step_container import StepContainer
from pyd_core.daemon.build.solver.usage import CacheUsage
from pyd_core.daemon.build.solver.vertex_sources import VertexSources
from pyd_core.daemon.cancellable import on_thread
from pyd_core.daemon.config import DaemonConfig
from pyd_core.daemon.images.events import ImageEvents
from pyd_core.daemon.images.layer_sync import LayerSync
from pyd_core.daemon.images.registry_config import RegistrySettings
from pyd_core.daemon.images.store import ImageStore
from pyd_core.daemon.networks.step_namespaces import StepNamespaces
from pyd_core.daemon.runtime.oci import Runtime
from pyd_core.daemon.userns import Remapping
from pyd_core.errors import InvalidInput, Unsupported
from pyd_core.linux.boot import boot_id
from pyd_core.tasks import TaskOwner

MAX_CONCURRENT_FETCHES = 3
COLLECT_INTERVAL_S = 600.0
"""Time between two collections of what the cache has too much of."""


class BuildSolver:
    """Executes definitions; see `Solver` in `daemon/build/interfaces.py`."""

    def __init__(
        self,
        *,
        config: DaemonConfig,
        images: ImageStore,
        image_events: ImageEvents,
        registries: RegistrySettings,
        namespaces: StepNamespaces,
        runtime: Runtime,
        remapping: Remapping | None,
    ) -> None:
        root = config.root / "builder"
        root.mkdir(exist_ok=True, mode=0o711)
        self.images = images
        self.records = CacheRecords(root / "cache.db", boot=boot_id())
        self.snapshots = SnapshotStore(root, self.records, images.layers, remapping=remapping)
        self.trees = LocalTrees(root / "local")
        self.caches = CacheMounts(root / "caches")
        self.content = ContentDigests(self.records, self.snapshots)
        self.sources = ImageSource(images, image_events, registries)
        self.registries = registries
        self._fetches = asyncio.Semaphore(MAX_CONCURRENT_FETCHES)
        self._runtime = runtime
        self._namespaces = namespaces
        self._steps = StepRunner(
            config=config,
            snapshots=self.snapshots,
            caches=self.caches,
            namespaces=namespaces,
            runtime=runtime,
            remapping=remapping,
        )
        self.vertex_sources = VertexSources(self)
        self.usage = CacheUsage(self, root)
        self._collected = time.monotonic()
        self._tasks = TaskOwner(on_error=lambda _: None)
        self.runs = SharedRuns(self._tasks)
        self.layer_sync = LayerSync(images.layers, self._tasks)
        images.layer_users.append(self.snapshots.image_layers)

    async def recover(self) -> None:
        """Remove what an engine that was killed has left of its builds."""
        for key in self._runtime.known():
            if key.startswith("build"):
                await self._runtime.delete(key)
        self._steps.recover()
        self.snapshots.recover()
        self.layer_sync.request(self.images.layers.unsynced())

    async def close(self) -> None:
        """Stop everything that runs."""
        await self._tasks.aclose()
        await self._namespaces.close()
        self.records.close()

    # Solving

    async def solve(
        self,
        definition: ops_pb2.Definition,
        *,
        session: BuildSession | None,
        progress: BuildProgress,
        options: SolveOptions,
    ) -> SolvedRef | None:
        """Return the result of the definition's last vertex; None stands for an empty file system.

        Raises:
            VertexError: A vertex failed.
            InvalidInput: The definition is none.
        """
        async with self.begun(definition, session=session, progress=progress, options=options) as begun:
            return await begun.run() if begun is not None else None

    @asynccontextmanager
    async def begun(
        self,
        definition: ops_pb2.Definition,
        *,
        session: BuildSession | None,
        progress: BuildProgress,
        options: SolveOptions,
    ) -> AsyncIterator[BegunSolve | None]:
        """Begin to solve a definition: what is known of its result can be asked for before it runs."""
        graph = read_graph(definition)
        if graph is None:
            yield None
            return
        with ExitStack() as held:
            solve = GraphSolve(self, graph, session=session, progress=progress, options=options, held=held)
            try:
                yield BegunSolve(self, solve, held)
            finally:
                await solve.close()

    def collect_later(self) -> None:
        """Bring the cache back into its bounds in the background, now and then."""
        now = time.monotonic()
        if now - self._collected >= COLLECT_INTERVAL_S:
            self._collected = now
            self._tasks.start(self.usage.collect(), name="build cache")

    def ref(
        self,
        result: Result,
        identity: str = "",
        held: ExitStack | None = None,
        trace: Sequence[TraceEntry] = (),
        *,
        sources: Mapping[str, str] | None = None,
    ) -> SolvedRef:
        """Return a result for clients and exporters; it keeps its layers."""
        own = ExitStack()
        if held is not None:
            own.push(held.__exit__)
        own.callback(self.discard, [result])
        own.enter_context(self.snapshots.hold(result.layers))
        return SolvedRef(result, identity, self.snapshots, own, trace, sources=sources)

    async def open_caches(
        self,
        entries: tuple[control_pb2.CacheOptionsEntry, ...],
        *,
        session: BuildSession | None,
        progress: BuildProgress,
    ) -> list[ImportedCache]:
        """Open caches from elsewhere; one that can't be read is left out."""
        return await open_caches(entries, session=session, progress=progress, registries=self.registries)

    async def fetch(self, cache: ImportedCache, layer: CacheLayer) -> None:
        """Bring a layer of a cache from elsewhere into the image store.

        Raises:
            InvalidInput: It isn't what the cache says.
        """
        async with self._fetches:
            await cache.fetch(self.images, layer)

    async def run_operation(
        self,
        vertex: Vertex,
        inputs: Sequence[Result],
        *,
        session: BuildSession | None,
        reporter: VertexReporter,
        options: SolveOptions,
    ) -> list[Result]:
        """Run an operation and return its outputs."""
        op = vertex.op
        match op.WhichOneof("op"):
            case "exec":
                check_runnable(op.platform, vertex.name)
                return await self._steps.run(op.exec, inputs, session=session, reporter=reporter, options=options)
            case "file":
                return await on_thread(
                    lambda check: FileStep(op.file, inputs, self.snapshots, check).run(), late=self.discard
                )
            case "merge":
                return [layer_ops.merge([inputs[item.input] for item in op.merge.inputs])]
            case "diff":
                return [await self._diff(op.diff, inputs)]
            case kind:
                raise Unsupported(f"operations of the kind {kind!r} aren't served", reference="unknown-operation")

    async def _diff(self, op: ops_pb2.DiffOp, inputs: Sequence[Result]) -> Result:
        lower = inputs[op.lower.input] if op.lower.input >= 0 else Result()
        upper = inputs[op.upper.input] if op.upper.input >= 0 else Result()
        shared = layer_ops.shared_layers(lower, upper)
        if shared is not None:
            return shared
        return await on_thread(lambda check: layer_ops.diff(lower, upper, self.snapshots, check))

    def discard(self, results: Iterable[Result]) -> None:
        """Remove the layers of results that nothing refers to."""
        paths = self.snapshots.discard_pending(layer for result in results for layer in result.layers)
        if paths:
            self._tasks.start(rmtree.remove(paths))

    def remember(self, vertex: Vertex, found_by: Sequence[str], result: VertexResult) -> None:
        """Record a result under its keys."""
        self.snapshots.add(layer for output in result.outputs for layer in output.layers)
        for key in found_by:
            self.records.add(
                ResultRecord(
                    key=key,
                    identity=result.identity,
                    outputs=[list(output.layers) for output in result.outputs],
                    name=vertex.name,
                )
            )

    async def image_config(
        self,
        reference: str,
        *,
        platform: ops_pb2.Platform | None,
        resolve_mode: str,
        session: BuildSession | None,
        progress: BuildProgress,
    ) -> tuple[str, bytes]:
        """Return digest and configuration of an image.

        Raises:
            NotFound: No such image.
        """
        del progress
        return await self.sources.config(
            reference, platform=platform_text(platform), mode=resolve_mode, session=session
        )

    async def new_container(
        self,
        request: gateway_pb2.NewContainerRequest,
        *,
        mounts: Sequence[BuildRef | None],
        session: BuildSession | None,
        progress: BuildProgress,
    ) -> StepContainer:
        """Open a container whose mounts are results.

        Raises:
            InvalidInput: A result is of another engine, or the number of mounts differs.
        """
        del progress
        results: list[Result | None] = []
        for mount in mounts:
            if mount is not None and not isinstance(mount, SolvedRef):
                raise InvalidInput("the result is of another engine")
            results.append(mount.result if mount is not None else None)
        if len(results) != len(request.Mounts):
            raise InvalidInput("a container needs a result or none for each mount", reference="bad-definition")
        return StepContainer(self._steps, request, results, session)

    # The cache

    async def disk_usage(self, *, filters: Sequence[str] = ()) -> list[control_pb2.UsageRecord]:
        """List the records of the cache.

        Raises:
            InvalidInput: A filter is malformed.
        """
        return await self.usage.records(filters)

    def prune(self, options: PruneOptions) -> AsyncIterator[control_pb2.UsageRecord]:
        """Remove records of the cache, and yield each.

        Raises:
            InvalidInput: A filter is malformed.
        """
        return self.usage.prune(options)
