"""The classic builder: stage by stage and instruction by instruction, with Docker Engine's stream of progress."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import ExitStack, aclosing

from pyd_core.buildkit.frontend.options import FrontendOptions
from pyd_core.buildkit.frontend.stage_node import StageNode, StageStep
from pyd_core.buildkit.frontend.step_compiler import StepCompiler
from pyd_core.buildkit.llb.sources import LocalOptions, local_source
from pyd_core.buildkit.llb.vertex import describe
from pyd_core.buildkit.proto import ops_pb2
from pyd_core.daemon.build.classic.bases import BaseImages, Fetch
from pyd_core.daemon.build.classic.labels import label_instructions
from pyd_core.daemon.build.classic.limits import check_stage
from pyd_core.daemon.build.classic.stage import ClassicStage
from pyd_core.daemon.build.classic.steps import ClassicServices, StepExecutor
from pyd_core.daemon.build.interfaces import StepSettings
from pyd_core.daemon.build.request import ClassicBuildRequest, Record, failure_record, stream_record
from pyd_core.daemon.build.solver.sources.unpacked import UnpackedContext
from pyd_core.daemon.images.store import ImageRecord
from pyd_core.dockerfile.instructions import ArgInstruction, TypedInstruction
from pyd_core.dockerfile.platforms import host_platform
from pyd_core.dockerfile.tree import DockerfileTree
from pyd_core.errors import NotFound
from pyd_core.model.host_config import HostConfig

PROXIES = {
    name for variable in ("HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY") for name in (variable, variable.lower())
}
"""Arguments that RUN steps know without ARG."""
CONTEXT = "context"


class ClassicBuilder:
    """Build of one image.

    Args:
        services: The parts of the engine that it uses.
        request: The request.
        tree: The Dockerfile.
        fetch: Pulls base images.
        settings: Network and limits of RUN steps.

    Raises:
        DockerfileError: An instruction is malformed, or the target stage doesn't exist.
    """

    def __init__(
        self,
        services: ClassicServices,
        request: ClassicBuildRequest,
        tree: DockerfileTree,
        *,
        fetch: Fetch,
        settings: StepSettings,
    ) -> None:
        self._images = services.solver.images
        self._events = services.events
        self._request = request
        self._bases = BaseImages(self._images, fetch, pulls=request.pull, platform=request.platform)
        metadata = describe("[internal] load build context")
        context = local_source(CONTEXT, LocalOptions(), metadata=metadata).output
        self._compiler = StepCompiler(tree, options_of(request), context, host_platform())
        directory = UnpackedContext(request.context)
        self._steps = StepExecutor(services, request, self._compiler, context=directory, settings=settings)
        self._stages: dict[StageNode, ClassicStage] = {}
        self._declared: set[str] = set()
        """Names that an ARG has declared."""

    async def run(self) -> AsyncGenerator[Record, None]:
        """Build and yield progress; the last record is an error if it failed.

        Raises:
            PydError: A step is invalid, or something that it needs is missing.
        """
        for number, node in enumerate(self._compiler.stages):
            for instruction in node.stage.instructions if node.stage is not None else ():
                check_stage(instruction, number)
        self._compiler.connect()
        with ExitStack() as held:
            async with aclosing(self._stages_built(held)) as records:
                async for record in records:
                    yield record
                    if "error" in record:
                        return
            unused = sorted(set(self._request.arguments) - self._declared - PROXIES)
            if unused:
                yield stream_record(f"[Warning] One or more build-args [{' '.join(unused)}] were not consumed\n")
            last = self._stages[self._compiler.stages[-1]]
            if last.is_empty:
                yield failure_record("No image was generated. Is your Dockerfile empty?")
                return
            yield {"aux": {"ID": last.image.id}}
            yield stream_record(f"Successfully built {last.image.id[7:19]}\n")
            for reference in self._request.tags:
                self._events.tag(last.image, reference)
                yield stream_record(f"Successfully tagged {reference}\n")

    async def _stages_built(self, held: ExitStack) -> AsyncGenerator[Record, None]:
        labels = [*label_instructions(self._request.labels)]
        stages = self._compiler.stages
        steps = sum(len(node.steps) + 1 for node in stages)
        total = len(self._compiler.global_instructions) + steps + len(labels)
        number = 0
        for instruction in self._compiler.global_instructions:
            number += 1
            self._declare(instruction)
            yield stream_record(f"Step {number}/{total} : {instruction.source}\n")
        for node in stages:
            number += 1
            yield stream_record(f"Step {number}/{total} : {node.stage.start.source if node.stage else ''}\n")
            async with aclosing(self._from(node)) as records:
                async for record in records:
                    yield record
                    if "error" in record:
                        return
            stage = self._stages[node]
            held.enter_context(self._images.hold([stage.image.id]))
            yield _image_line(stage)
            added = [self._compiler.step(node, label) for label in labels] if node is stages[-1] else []
            for step in [*node.steps, *added]:
                number += 1
                yield stream_record(f"Step {number}/{total} : {step.instruction.source}\n")
                await asyncio.sleep(0)  # cached steps never wait, and the engine has other clients
                async with aclosing(self._step(stage, step)) as records:
                    async for record in records:
                        yield record
                        if "error" in record:
                            return
                held.enter_context(self._images.hold([stage.image.id]))
                yield _image_line(stage)
            if node is not stages[-1] and not stage.is_empty:
                yield {"aux": {"ID": stage.image.id}}

    async def _from(self, node: StageNode) -> AsyncGenerator[Record, None]:
        if node.base is None:
            async with aclosing(self._provide(node)) as records:
                async for record in records:
                    yield record
                    if "error" in record:
                        return
        triggers = self._compiler.begin(node)
        node.ignores_cache = True  # as in Docker Engine, only images are this builder's cache
        image = self._stages[node.base].image if node.base is not None else self._bases.base(node)
        stage = ClassicStage(self._images, node, image, self._request.use_cache, self._cache_sources())
        self._stages[node] = stage
        if triggers:
            yield stream_record(f"# Executing {len(triggers)} build trigger{'s' if len(triggers) > 1 else ''}\n")
        for text in triggers:
            async with aclosing(self._step(stage, self._compiler.trigger(node, text))) as records:
                async for record in records:
                    yield record
                    if "error" in record:
                        return

    async def _provide(self, node: StageNode) -> AsyncGenerator[Record, None]:
        """Pull the image of a stage's base, or of COPY --from, and give it to the compiler."""
        async with aclosing(self._bases.pulled(node)) as records:
            async for record in records:
                yield record
                if "error" in record:
                    return
        self._bases.provide(self._compiler, node)

    async def _step(self, stage: ClassicStage, step: StageStep) -> AsyncGenerator[Record, None]:
        self._declare(step.instruction)
        for source in step.sources:
            if source is not None and not source.is_stage and not source.is_dispatched:
                async with aclosing(self._source(source)) as records:
                    async for record in records:
                        yield record
                        if "error" in record:
                            return
        async with aclosing(self._steps.execute(stage, step)) as records:
            async for record in records:
                yield record

    async def _source(self, node: StageNode) -> AsyncGenerator[Record, None]:
        name = node.base_name[:200]
        try:
            async with aclosing(self._provide(node)) as records:
                async for record in records:
                    yield record
        except NotFound as error:
            raise NotFound(
                f"invalid from flag value {name}: {error.message}",
                hint=f"pull it first, or begin a stage with FROM {name}",
            ) from None

    def _declare(self, instruction: TypedInstruction) -> None:
        if isinstance(instruction, ArgInstruction):
            self._declared |= {declaration.name for declaration in instruction.declarations}

    def _cache_sources(self) -> list[ImageRecord] | None:
        """Return the images of `--cache-from` that exist; None without that option."""
        names = self._request.cache_from
        if names is None:
            return None
        return [image for name in names if (image := self._bases.find(name)) is not None]


def _image_line(stage: ClassicStage) -> Record:
    return stream_record(f" ---> {stage.image.id[7:19]}\n")


def options_of(request: ClassicBuildRequest) -> FrontendOptions:
    """Return the front end's options for a request."""
    host = request.host
    networks = {"none": ops_pb2.NONE, "host": ops_pb2.HOST}
    hosts = (text.partition("=" if "=" in text else ":") for text in host.extra_hosts)
    return FrontendOptions(
        target=request.target,
        build_args={name: value for name, value in request.arguments.items() if value is not None},
        network=networks.get(host.network_mode, ops_pb2.UNSET),
        extra_hosts=tuple((name, address) for name, _, address in hosts),
        ulimits=tuple((limit.name, limit.soft, limit.hard) for limit in host.ulimits),
        shm_bytes=host.shm_size or 0,
        cgroup_parent=host.cgroup_parent,
    )


def settings_of(request: ClassicBuildRequest) -> StepSettings:
    """Return the settings of a request's RUN steps, but for a namespace to join."""
    host = request.host
    limits = HostConfig(
        memory=host.memory,
        memory_swap=host.memory_swap,
        cpu_shares=host.cpu_shares,
        cpu_period=host.cpu_period,
        cpu_quota=host.cpu_quota,
        cpuset_cpus=host.cpuset_cpus,
        cpuset_mems=host.cpuset_mems,
    )
    mode = host.network_mode
    is_named = mode not in {"", "default", "bridge", "none", "host"} and not mode.startswith("container:")
    return StepSettings(limits=limits, network=mode if is_named else "", keeps_kernel_trees=False)
