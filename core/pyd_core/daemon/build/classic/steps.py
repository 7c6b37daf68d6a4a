"""Steps of a classic build: each is solved on the image of the step before, and makes an image."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from pyd_core.buildkit.frontend.image import DEFAULT_SHELL
from pyd_core.buildkit.frontend.metadata_steps import with_shell
from pyd_core.buildkit.frontend.stage_node import StageStep
from pyd_core.buildkit.frontend.step_compiler import StepCompiler
from pyd_core.buildkit.llb.definition import marshal
from pyd_core.daemon.build.classic import history_text
from pyd_core.daemon.build.classic.kept import EndedStep, KeptSteps
from pyd_core.daemon.build.classic.limits import check_destination, copy_failure, refuse_buildkit
from pyd_core.daemon.build.classic.output import StepOutput
from pyd_core.daemon.build.classic.stage import ClassicStage
from pyd_core.daemon.build.exporters.packing import EMPTY_ARCHIVE_DIGEST, LayerPacker
from pyd_core.daemon.build.interfaces import SolveOptions, StepSettings, VertexError
from pyd_core.daemon.build.request import ClassicBuildRequest, Record, failure_record, stream_record
from pyd_core.daemon.build.solver.begun_solve import BegunSolve
from pyd_core.daemon.build.solver.refs import SolvedRef
from pyd_core.daemon.build.solver.results import Result
from pyd_core.daemon.build.solver.solver import BuildSolver
from pyd_core.daemon.build.solver.sources.unpacked import UnpackedContext
from pyd_core.daemon.containers.record import new_id
from pyd_core.daemon.images.events import ImageEvents
from pyd_core.dockerfile.instructions import (
    CommandInstruction,
    RunInstruction,
    TransferInstruction,
    VolumeInstruction,
    WorkdirInstruction,
)
from pyd_core.errors import EngineError, InvalidInput, KernelError
from pyd_core.tasks import TaskOwner

CACHED = stream_record(" ---> Using cache\n")
HOST_NETWORK = frozenset({"network.host"})
"""The classic builder asks for no entitlement: its clients may do all that `docker run` does."""


@dataclass(frozen=True, kw_only=True)
class ClassicServices:
    """The parts of the engine that a classic build uses.

    Attributes:
        spool: The directory for the output of steps.
    """

    solver: BuildSolver
    events: ImageEvents
    tasks: TaskOwner
    packer: LayerPacker
    kept: KeptSteps
    spool: Path


class StepExecutor:
    """Executes the steps of a build.

    Args:
        services: The parts of the engine.
        request: The request.
        compiler: Applies instructions.
        context: The build context.
        settings: Network and limits of RUN steps.
    """

    def __init__(
        self,
        services: ClassicServices,
        request: ClassicBuildRequest,
        compiler: StepCompiler,
        *,
        context: UnpackedContext,
        settings: StepSettings,
    ) -> None:
        self._services = services
        self._request = request
        self._compiler = compiler
        self._context = context
        self._settings = settings

    async def execute(self, stage: ClassicStage, step: StageStep) -> AsyncGenerator[Record, None]:
        """Execute a step and yield its output; the last record is an error if it failed.

        Raises:
            PydError: The step is invalid, or something that it needs is missing.
        """
        refuse_buildkit(step.instruction)
        written, step = step.instruction, _completed(stage, step)
        if isinstance(step.instruction, TransferInstruction):
            check_destination(step.instruction, stage.node, self._compiler.escape)
        if isinstance(step.instruction, WorkdirInstruction):
            self._apply_as_root(stage, step)
        else:
            self._compiler.apply(stage.node, step)
        match step.instruction:
            case RunInstruction():
                records = self._run(stage, step.instruction)
            case TransferInstruction():
                records = self._transfer(
                    stage, written if isinstance(written, TransferInstruction) else step.instruction
                )
            case WorkdirInstruction():
                records = self._workdir(stage, step.instruction)
            case _:
                records = self._configure(stage, step)
        async with aclosing(records):
            async for record in records:
                yield record

    def _apply_as_root(self, stage: ClassicStage, step: StageStep) -> None:
        """Apply WORKDIR: its directory belongs to root, not to the image's user."""
        config = stage.node.image.config
        user, config.user = config.user, ""
        try:
            self._compiler.apply(stage.node, step)
        finally:
            config.user = user

    async def _configure(self, stage: ClassicStage, step: StageStep) -> AsyncGenerator[Record, None]:
        created_by = history_text.configuring_text(self._compiler, stage.node, step.instruction)
        if stage.find_cached(created_by):
            yield CACHED
            return
        if isinstance(step.instruction, VolumeInstruction):
            await asyncio.to_thread(self._check_volumes, stage)
        await stage.commit(created_by)

    def _check_volumes(self, stage: ClassicStage) -> None:
        """Check that the image has no file at a volume's path."""
        snapshots = self._services.solver.snapshots
        with snapshots.hold(stage.image.layers), Result(tuple(stage.image.layers)).open(snapshots) as root:
            for path in stage.config.volumes:
                try:
                    fd = root.open(path, os.O_PATH)
                except KernelError:
                    continue  # the directory is created when the volume is mounted
                try:
                    if not os.path.isdir(f"/proc/self/fd/{fd}"):  # noqa: PTH112 - a descriptor
                        raise InvalidInput(f"cannot mount volume over existing file, file exists {path[:200]}")
                finally:
                    os.close(fd)

    async def _workdir(self, stage: ClassicStage, instruction: WorkdirInstruction) -> AsyncGenerator[Record, None]:
        created_by = history_text.configuring_text(self._compiler, stage.node, instruction)
        if stage.find_cached(created_by):
            yield CACHED
            return
        if stage.node.output == stage.output:  # the root directory is always there
            await stage.commit(created_by)
            return
        async with self._begun(stage) as (begun, _):
            ref = await begun.run()
        await self._commit(stage, created_by, ref)

    async def _transfer(self, stage: ClassicStage, instruction: TransferInstruction) -> AsyncGenerator[Record, None]:
        try:
            async with self._begun(stage) as (begun, _):
                identity, is_known = await begun.identify()
                content = identity.partition("+")[0].rpartition(":")[2]
                created_by = history_text.transfer_text(self._compiler, stage.node, instruction, content)
                if stage.find_cached(created_by):
                    yield CACHED
                    return
                ref = await begun.run()
        except VertexError as error:
            raise InvalidInput(copy_failure(instruction, error), hint=error.hint) from error
        if is_known:
            yield CACHED
        await self._commit(stage, created_by, ref)

    async def _run(self, stage: ClassicStage, instruction: RunInstruction) -> AsyncGenerator[Record, None]:
        words = with_shell(stage.node, instruction)
        created_by = history_text.run_text(stage.node, words)
        if stage.find_cached(created_by):
            yield CACHED
            return
        ended = EndedStep(
            key=new_id(),
            image_id=stage.image.id,
            words=words,
            env=history_text.run_arguments(stage.node),
            host=self._request.host,
            started_ns=time.time_ns(),
        )
        async with self._begun(stage, ended.key) as (begun, output):
            _, is_known = await begun.identify()
            yield CACHED if is_known else stream_record(f" ---> Running in {ended.key[:12]}\n")
            try:
                async with aclosing(self._followed(begun, output)) as texts:
                    async for text in texts:
                        yield stream_record(text)
                ref = await begun.run()  # the result, which is known by now
            except VertexError as error:
                await self._keep_failed(ended, error)
                if error.exit_code is None:
                    raise
                shown = " ".join(words)
                message = f"The command '{shown}' returned a non-zero code: {error.exit_code}"
                yield failure_record(message, error.exit_code)
                return
        if self._request.keeps_successful and not is_known:
            await self._keep(ended, ref, 0)
        await self._commit(stage, created_by, ref)
        if not is_known and not self._request.keeps_successful:
            yield stream_record(f" ---> Removed intermediate container {ended.key[:12]}\n")

    # The work

    @asynccontextmanager
    async def _begun(self, stage: ClassicStage, key: str = "") -> AsyncIterator[tuple[BegunSolve, StepOutput]]:
        output = StepOutput(self._services.spool)
        options = SolveOptions(
            entitlements=HOST_NETWORK,
            keep_failure=self._request.keeps_failed,
            settings=replace(self._settings, key=key),
        )
        try:
            async with self._services.solver.begun(
                marshal(stage.node.output), session=self._context, progress=output, options=options
            ) as begun:
                if begun is None:
                    raise EngineError("a step has no operation")
                yield begun, output
        finally:
            output.close()

    async def _followed(self, begun: BegunSolve, output: StepOutput) -> AsyncGenerator[str, None]:
        """Solve, and yield the output of what runs.

        Raises:
            VertexError: A vertex failed.
        """
        task = self._services.tasks.start(begun.finish())
        task.add_done_callback(lambda _: output.end())
        try:
            async for text in output.texts():
                yield text
            await task
        finally:
            if not task.done():
                task.cancel()
                await asyncio.wait({task})

    async def _commit(self, stage: ClassicStage, created_by: str, ref: SolvedRef) -> None:
        """Make the image of a step that was solved; one that changed no file adds no layer."""
        try:
            diff_ids = await self._services.packer.diff_ids(ref.result.layers)
            added = [layer for layer in diff_ids[len(stage.image.layers) :] if layer != EMPTY_ARCHIVE_DIGEST]
            if len(added) > 1 or diff_ids[: len(stage.image.layers)] != stage.image.layers:
                raise EngineError("a step has made more than a layer")
            await stage.commit(created_by, *added)
        finally:
            await ref.release()

    async def _keep_failed(self, ended: EndedStep, error: VertexError) -> None:
        states = [state for state in (*error.inputs, *error.mounts) if state is not None]
        try:
            if error.exit_code is not None and self._request.keeps_failed:
                changed = next((state for state in error.mounts if isinstance(state, SolvedRef)), None)
                await self._keep(ended, changed, error.exit_code)
        finally:
            for state in states:
                await state.release()

    async def _keep(self, ended: EndedStep, ref: SolvedRef | None, exit_code: int) -> None:
        layer = ref.result.layers[-1] if ref is not None and ref.result.layers else ""
        changes = self._services.solver.snapshots.directory(layer) if layer.startswith("snap-") else None
        await self._services.kept.keep(ended, exit_code=exit_code, changes=changes)


def _completed(stage: ClassicStage, step: StageStep) -> StageStep:
    """Give an instruction the meaning that the classic builder has for RUN [], CMD without words, and COPY --link."""
    instruction = step.instruction
    if isinstance(instruction, TransferInstruction):  # Docker Engine's ignores --link, and has a group for each user
        owner = instruction.chown
        if owner and ":" not in owner:
            owner = f"{owner}:{owner}"
        return step._replace(instruction=msgspec.structs.replace(instruction, link=False, chown=owner))
    if not isinstance(instruction, CommandInstruction) or instruction.command:
        return step
    config = stage.node.image.config
    if isinstance(instruction, RunInstruction):
        if instruction.uses_shell:
            return step
        command: Sequence[str] = [*(config.entrypoint or []), *(config.cmd or [])]
    elif instruction.uses_shell:
        command = config.shell or DEFAULT_SHELL
    else:
        return step
    return step._replace(instruction=msgspec.structs.replace(instruction, command=tuple(command), uses_shell=False))
