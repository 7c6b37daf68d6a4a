"""A solve: it looks up results, and runs the vertices that the target needs and that have none.

A vertex is first looked up by key. Where its key depends on the content of an input, that input is made first. What
isn't found runs once its inputs are there; independent vertices run at the same time.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Coroutine
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from pyd_core.daemon.build.interfaces import BuildProgress, BuildSession, SolveOptions, VertexError
from pyd_core.daemon.build.solver import keys
from pyd_core.daemon.build.solver.cache_config import ExportedRecord, TraceEntry
from pyd_core.daemon.build.solver.cache_imports import ImportedCache
from pyd_core.daemon.build.solver.exec_step import CommandFailed
from pyd_core.daemon.build.solver.graph import Edge, Graph, Vertex
from pyd_core.daemon.build.solver.records import ResultRecord
from pyd_core.daemon.build.solver.refs import SolvedRef
from pyd_core.daemon.build.solver.reporter import VertexReporter, report_cached
from pyd_core.daemon.build.solver.results import Result, VertexResult
from pyd_core.errors import InvalidInput, PydError
from pyd_core.tasks import TaskOwner

if TYPE_CHECKING:
    from pyd_core.daemon.build.solver.solver import BuildSolver

T = TypeVar("T")


class _Probe(msgspec.Struct, kw_only=True):
    """Outcome of the look-up of a vertex.

    Attributes:
        identity: What operations on top of it have in their keys.
        record: Its result, if it is known.
        keys: The keys that its result is to be found by.
        result: Its result, where finding it out made it.
        imported: A result in a cache from elsewhere, whose layers may have to be fetched.
    """

    identity: str
    record: ResultRecord | None = None
    keys: tuple[str, ...] = ()
    result: VertexResult | None = None
    imported: tuple[ImportedCache, ExportedRecord] | None = None


class GraphSolve:
    """A solve of one graph."""

    def __init__(
        self,
        solver: BuildSolver,
        graph: Graph,
        *,
        session: BuildSession | None,
        progress: BuildProgress,
        options: SolveOptions,
        held: ExitStack,
    ) -> None:
        self._solver = solver
        self._graph = graph
        self._session = session
        self._progress = progress
        self._options = options
        self._held = held
        self._tasks = TaskOwner(on_error=lambda _: None)
        self._probes: dict[str, asyncio.Task[_Probe]] = {}
        self._results: dict[str, asyncio.Task[VertexResult]] = {}
        self._caches: list[ImportedCache] = []
        self._is_begun = False

    async def identify(self) -> tuple[str, bool]:
        """Look up the target; return what its result is identified by, and whether the result is known."""
        await self._begin()
        probe = await self._probe(self._graph.target.digest)
        return probe.identity, probe.record is not None

    async def run(self) -> VertexResult:
        """Return the target's result.

        Raises:
            VertexError: A vertex failed.
        """
        await self._begin()
        return await self._result(self._graph.target.digest)

    async def _begin(self) -> None:
        if self._is_begun:
            return
        self._is_begun = True
        for vertex in self._graph.vertices.values():
            self._progress.vertex(vertex.message())
        if self._options.cache_imports and any(map(_is_cacheable, self._graph.vertices.values())):
            self._caches = await self._solver.open_caches(
                self._options.cache_imports, session=self._session, progress=self._progress
            )

    async def close(self) -> None:
        """Cancel what still runs."""
        await self._tasks.aclose()

    # Each vertex is looked up and made once, by a task of its own: a deep graph is no deep recursion.

    def _probe(self, digest: str) -> asyncio.Task[_Probe]:
        task = self._probes.get(digest)
        if task is None:
            vertex = self._graph.vertices[digest]
            task = self._probes[digest] = self._tasks.start(self._guard(vertex, self._look_up(vertex)))
        return task

    def _result(self, digest: str) -> asyncio.Task[VertexResult]:
        task = self._results.get(digest)
        if task is None:
            vertex = self._graph.vertices[digest]
            task = self._results[digest] = self._tasks.start(self._guard(vertex, self._make(vertex)))
        return task

    async def _guard(self, vertex: Vertex, work: Coroutine[Any, Any, T]) -> T:
        """Name the vertex in the errors of its own work."""
        try:
            return await work
        except VertexError:
            raise
        except CommandFailed as error:
            raise await self._vertex_error(vertex, error) from error
        except (PydError, OSError) as error:
            raise VertexError(
                str(error) if isinstance(error, PydError) else f"{vertex.name}: {error}",
                digest=vertex.digest,
                name=vertex.name,
                op=vertex.op,
                hint=error.hint if isinstance(error, PydError) else "",
            ) from error

    async def _vertex_error(self, vertex: Vertex, failure: CommandFailed) -> VertexError:
        inputs: list[SolvedRef | None] = []
        mounts: list[SolvedRef | None] = []
        if self._options.keep_failure:
            results = [self._output((await self._result(edge.digest)), edge) for edge in vertex.inputs]
            inputs = [self._solver.ref(result) for result in results]
            for number, item in enumerate(vertex.op.exec.mounts):
                changed = failure.changes.get(number)
                if changed is None and 0 <= item.input < len(results):
                    changed = results[item.input]
                mounts.append(self._solver.ref(changed) if changed is not None else None)
        self._solver.discard(failure.changes.values())
        return VertexError(
            failure.message,
            digest=vertex.digest,
            name=vertex.name,
            exit_code=failure.exit_code,
            op=vertex.op,
            inputs=inputs,
            mounts=mounts,
        )

    # Look-up

    async def _look_up(self, vertex: Vertex) -> _Probe:
        if vertex.op.WhichOneof("op") == "source":
            result = await self._solver.vertex_sources.resolve(
                vertex, session=self._session, progress=self._progress, held=self._held
            )
            return _Probe(identity=result.identity, result=result)
        probes = await _all(self._probe(edge.digest) for edge in vertex.inputs)
        identities = [
            keys.output_key(probe.identity, edge.index) for probe, edge in zip(probes, vertex.inputs, strict=True)
        ]
        operation = keys.operation_digest(vertex.op)
        key = keys.result_key(operation, identities)
        record = None if vertex.ignore_cache else self._find(key)
        if record is not None:
            self._report_cached(vertex)
            return _Probe(identity=record.identity, record=record)
        imported = self._find_imported(vertex, (key,))
        if imported is not None:
            return _Probe(identity=imported[1].identity or key, keys=(key,), imported=imported)
        selections = keys.content_selections(vertex.op)
        content_key = key
        if selections:
            digests = await _all(
                self._tasks.start(self._content(vertex.inputs[index], identities[index], selected))
                for index, selected in selections.items()
            )
            for index, digest in zip(selections, digests, strict=True):
                identities[index] = digest
            content_key = keys.result_key(operation + b"content", identities)
            record = None if vertex.ignore_cache else self._find(content_key)
            if record is not None:
                self._solver.records.link(key, record)
                self._report_cached(vertex)
                return _Probe(identity=record.identity, record=record)
        known_keys = tuple(dict.fromkeys((content_key, key)))
        imported = self._find_imported(vertex, (content_key,)) if content_key != key else None
        if imported is not None:
            return _Probe(identity=imported[1].identity or content_key, keys=known_keys, imported=imported)
        identity = f"{content_key}+{os.urandom(8).hex()}" if vertex.ignore_cache else content_key
        return _Probe(identity=identity, keys=known_keys)

    def _find_imported(
        self, vertex: Vertex, candidates: tuple[str, ...]
    ) -> tuple[ImportedCache, ExportedRecord] | None:
        """Return the result of a key in a cache from elsewhere."""
        for cache in () if vertex.ignore_cache else self._caches:
            for key in candidates:
                record = cache.find(key)
                if record is not None:
                    self._report_cached(vertex)
                    return cache, record
        return None

    def _report_cached(self, vertex: Vertex) -> None:
        report_cached(self._progress, vertex)

    def _find(self, key: str) -> ResultRecord | None:
        record = self._solver.records.find(key)
        if record is None:
            return None
        layers = [layer for output in record.outputs for layer in output]
        if not all(self._solver.snapshots.exists(layer) for layer in layers):
            self._solver.records.remove([key])
            return None
        self._held.enter_context(self._solver.snapshots.hold(layers))
        return record

    async def _content(self, edge: Edge, identity: str, selected: tuple[keys.CopySelection, ...]) -> str:
        """Return the digest of what is read of an input."""
        result = self._output(await self._result(edge.digest), edge)
        return await self._solver.content.digest(result, identity, selected)

    # Runs

    async def _make(self, vertex: Vertex) -> VertexResult:
        probe = await self._probe(vertex.digest)
        if probe.result is not None:
            return probe.result
        if probe.record is not None:
            outputs = tuple(Result(tuple(layers)) for layers in probe.record.outputs)
            return VertexResult(probe.record.identity, outputs)
        if probe.imported is not None:
            return await self._import(vertex, probe, *probe.imported)
        input_results = await _all(self._result(edge.digest) for edge in vertex.inputs)
        inputs = [self._output(result, edge) for result, edge in zip(input_results, vertex.inputs, strict=True)]

        async def work(reporter: VertexReporter) -> VertexResult:
            with contextlib.ExitStack() as stack:
                for item in inputs:
                    stack.enter_context(self._solver.snapshots.hold(item.layers))
                    if item.local is not None:
                        item.local.holders += 1
                        stack.callback(self._solver.trees.release, item.local)
                outputs = await self._solver.run_operation(
                    vertex,
                    inputs,
                    session=self._session,
                    reporter=reporter,
                    options=self._options,
                )
            result = VertexResult(probe.identity, tuple(outputs))
            self._solver.remember(vertex, probe.keys, result)
            return result

        result = await self._solver.runs.run(probe.identity, self._progress, vertex, work)
        self._held.enter_context(
            self._solver.snapshots.hold([layer for output in result.outputs for layer in output.layers])
        )
        return result

    async def _import(
        self, vertex: Vertex, probe: _Probe, cache: ImportedCache, record: ExportedRecord
    ) -> VertexResult:
        """Fetch the layers of a result from elsewhere."""
        outputs: list[Result] = []
        for stack in cache.stacks(record):
            layers = tuple(layer.diff_id for layer in stack)
            self._held.enter_context(self._solver.snapshots.hold(layers))
            for layer in stack:
                await self._solver.fetch(cache, layer)
            outputs.append(Result(layers))
        result = VertexResult(probe.identity, tuple(outputs))
        self._solver.remember(vertex, probe.keys, result)
        return result

    def _output(self, result: VertexResult, edge: Edge) -> Result:
        if edge.index >= len(result.outputs):
            raise InvalidInput(f"an operation has no output {edge.index}", reference="bad-definition")
        return result.outputs[edge.index]

    def trace(self) -> list[TraceEntry]:
        """Return the results that this solve used or made, by the keys that they have everywhere."""
        entries: list[TraceEntry] = []
        for digest, probe_task in self._probes.items():
            if not _is_successful(probe_task):
                continue
            probe, task = probe_task.result(), self._results.get(digest)
            if probe.record is not None:
                content_key = probe.record.identity.partition("+")[0]  # of a step that ran without the cache
                found_by = (*probe.keys, probe.record.key, content_key)
                outputs = tuple(tuple(output) for output in probe.record.outputs)
            elif probe.result is None and task is not None and _is_successful(task):
                found_by = probe.keys
                outputs = tuple(output.layers for output in task.result().outputs)
            else:
                continue  # a source, or not needed
            name = self._graph.vertices[digest].name
            keys_ = tuple(dict.fromkeys(found_by))
            entries.append(TraceEntry(keys=keys_, identity=probe.identity, outputs=outputs, name=name))
        return entries

    def source_identities(self) -> dict[str, str]:
        """Return what the sources were, by vertex: a commit, the digest of a download."""
        return {
            digest: task.result().identity
            for digest, task in self._probes.items()
            if self._graph.vertices[digest].op.WhichOneof("op") == "source" and _is_successful(task)
        }

    def target(self, result: VertexResult) -> Result:
        """Return the file system that the graph stands for."""
        return self._output(result, self._graph.target)


async def _all(tasks: Any) -> list[Any]:
    """Wait for tasks and raise the first failure; the others are the solve's to cancel."""
    waited = list(tasks)
    return list(await asyncio.gather(*(asyncio.shield(task) for task in waited))) if waited else []


def _is_successful(task: asyncio.Task[Any]) -> bool:
    return task.done() and not task.cancelled() and task.exception() is None


def _is_cacheable(vertex: Vertex) -> bool:
    return vertex.op.WhichOneof("op") != "source"
