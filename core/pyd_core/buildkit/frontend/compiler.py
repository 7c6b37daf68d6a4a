"""Compiler of Dockerfiles: the stages that a target needs become a definition and an image's configuration."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec

from pyd_core.buildkit.frontend import base_images
from pyd_core.buildkit.frontend.arguments import global_arguments, platform_arguments
from pyd_core.buildkit.frontend.copy_step import apply_transfer
from pyd_core.buildkit.frontend.image import read_image
from pyd_core.buildkit.frontend.metadata_steps import apply_metadata
from pyd_core.buildkit.frontend.named_contexts import find_context
from pyd_core.buildkit.frontend.options import FrontendOptions
from pyd_core.buildkit.frontend.run_step import apply_run
from pyd_core.buildkit.frontend.scope import CompileScope
from pyd_core.buildkit.frontend.services import FrontendServices
from pyd_core.buildkit.frontend.stage_graph import SCRATCH, StageGraph
from pyd_core.buildkit.frontend.stage_node import StageNode, StageStep, environment_of, reachable
from pyd_core.buildkit.llb.definition import marshal
from pyd_core.buildkit.llb.sources import LocalOptions, local_attributes, local_source
from pyd_core.buildkit.llb.vertex import VertexOutput, describe
from pyd_core.buildkit.proto import ops_pb2
from pyd_core.dockerfile.checks.case import BaseFacts
from pyd_core.dockerfile.instruction_parser import parse_typed
from pyd_core.dockerfile.instructions import (
    AddInstruction,
    CopyInstruction,
    OnbuildInstruction,
    RunInstruction,
    StagedDockerfile,
    TransferInstruction,
    TypedInstruction,
    WorkdirInstruction,
)
from pyd_core.dockerfile.parser import parse_dockerfile, parse_instruction
from pyd_core.dockerfile.platforms import ImagePlatform, normalize
from pyd_core.dockerfile.stages import divide
from pyd_core.errors import DockerfileError, PydError

MAX_TRIGGER_ROUNDS = 10
"""Limit for images whose triggers use images that have triggers."""


class CompiledBuild(msgspec.Struct, kw_only=True):
    """Compiled Dockerfile for one platform."""

    platform: ImagePlatform
    definition: ops_pb2.Definition
    config: bytes
    """The image's configuration without layers."""
    base_config: bytes = b""
    """The configuration of the base image; empty if there is none."""
    is_cache_ignored: bool = False
    base_facts: dict[int, BaseFacts] = {}
    """Facts of the base images, for checks, by the number of the stage."""

    @property
    def platform_id(self) -> str:
        """The platform as exporters name it."""
        return str(self.platform)


class DockerfileSource(msgspec.Struct, kw_only=True):
    """Dockerfile with its origin."""

    text: bytes
    filename: str = "Dockerfile"
    definition: ops_pb2.Definition | None = None
    """The definition that the file was read from."""
    ignore_patterns: tuple[str, ...] = ()
    context: VertexOutput | None = None
    """The build context if it is no directory of the client."""

    @property
    def info(self) -> ops_pb2.SourceInfo:
        """The file, as errors and warnings refer to it."""
        info = ops_pb2.SourceInfo(filename=self.filename, data=self.text, language="Dockerfile")
        if self.definition is not None:
            info.definition.CopyFrom(self.definition)
        return info


async def compile_dockerfile(
    source: DockerfileSource, *, options: FrontendOptions, services: FrontendServices
) -> list[CompiledBuild]:
    """Compile a Dockerfile for each platform of a request.

    Raises:
        DockerfileError: The Dockerfile can't be read or built.
        InvalidInput: An option is malformed.
    """
    tree = parse_dockerfile(source.text, name=source.filename)
    dockerfile = divide(tree)
    builds = []
    for platform in options.target_platforms or (options.build_platform,):
        compiler = DockerfileCompiler(source, dockerfile, options, services, platform, escape=tree.directives.escape)
        builds.append(await compiler.compile())
    return builds


def apply_step(scope: CompileScope, node: StageNode, step: StageStep) -> None:
    """Apply an instruction to its stage.

    Raises:
        DockerfileError: It can't be built.
    """
    span = step.instruction.span
    try:
        if isinstance(step.instruction, RunInstruction):
            apply_run(scope, node, step)
        elif isinstance(step.instruction, TransferInstruction):
            apply_transfer(scope, node, step)
        else:
            apply_metadata(scope, node, step)
    except PydError as error:
        if isinstance(error, DockerfileError) and error.line:
            raise
        raise DockerfileError(
            error.message, line=span.start, end_line=span.end, hint=error.hint, reference=error.reference
        ) from error


def parse_trigger(node: StageNode, text: str) -> TypedInstruction:
    """Return an ONBUILD trigger of a stage's base as an instruction of the stage.

    Raises:
        DockerfileError: It can't be read.
    """
    try:
        instruction = parse_typed(parse_instruction(text))
    except DockerfileError as error:
        raise DockerfileError(
            f"ONBUILD trigger of {node.base_name[:120]}: {error.message}", line=node.span.start,
            end_line=node.span.end, hint=error.hint,
        ) from None  # fmt: skip
    return msgspec.structs.replace(instruction, node=msgspec.structs.replace(instruction.node, span=node.span))


class DockerfileCompiler:
    """Compiler for one platform.

    Args:
        source: The Dockerfile with its origin.
        dockerfile: Its stages.
        options: The build's options.
        services: The engine's services.
        platform: The platform to build for.
        escape: The file's escape character.
    """

    def __init__(
        self,
        source: DockerfileSource,
        dockerfile: StagedDockerfile,
        options: FrontendOptions,
        services: FrontendServices,
        platform: ImagePlatform,
        *,
        escape: str,
    ) -> None:
        self._source = source
        self._options = options
        self._platform = platform
        self._escape = escape
        self._resolver = base_images.BaseResolver(options, services, platform)
        self._local_options = LocalOptions(
            session=options.session_ids.get(options.context_name, options.session), shared_key=options.context_name,
            exclude=source.ignore_patterns,
        )  # fmt: skip
        self._local_context = local_source(
            options.context_name, self._local_options, metadata=describe("[internal] load build context")
        )
        last = dockerfile.stages[-1].name
        initial = platform_arguments(
            options.build_platform, platform, target_stage=options.target or last, overrides=options.build_args
        )
        self.arguments = global_arguments(dockerfile.global_arguments, initial, options.build_args, escape=escape)
        self.graph = StageGraph(
            dockerfile, self.arguments, escape=escape,
            find_context=lambda node, name: find_context(options, name, node.platform or platform),
        )  # fmt: skip

    async def compile(self) -> CompiledBuild:
        """Compile the target.

        Raises:
            DockerfileError: The Dockerfile can't be built.
        """
        target = self.graph.target(self._options.target)
        self.graph.connect()
        self._count_steps()
        needed = await self._resolve(target)
        scope = CompileScope(
            options=self._options, arguments=self.arguments, escape=self._escape, target_platform=self._platform,
            context=self._source.context or self._local_context.output,
        )  # fmt: skip
        for node in self.graph.nodes:
            if node in needed and not node.is_dispatched:
                self._dispatch(scope, node)
        target.paths.add("/")
        self._limit_transfers(needed)
        return self._result(target, needed)

    async def _resolve(self, target: StageNode) -> set[StageNode]:
        """Load the bases of all stages that the target needs, which triggers of images may add to."""
        for _ in range(MAX_TRIGGER_ROUNDS):
            needed = set(reachable(target))
            pending = [
                node for node in self.graph.nodes if node in needed and node.base is None and not node.is_resolved
            ]
            await self._load(pending)
            before = len(self.graph.nodes), sum(len(node.dependencies) for node in needed)
            for node in self.graph.nodes:
                if node in needed:
                    self._add_triggers(node)
            if (len(self.graph.nodes), sum(len(node.dependencies) for node in needed)) == before:
                return needed
        raise DockerfileError("triggers of base images need each other without end")

    async def _load(self, nodes: Sequence[StageNode]) -> None:
        """Load bases side by side; the first failure in the order of the file is reported."""
        outcomes = await asyncio.gather(
            *(self._resolver.resolve(node, self.graph.names) for node in nodes), return_exceptions=True
        )
        for outcome in outcomes:
            if outcome is not None:
                raise outcome

    def _add_triggers(self, node: StageNode) -> None:
        if node.has_triggers or not node.is_stage or node.context is not None:
            return
        triggers: list[str] = []
        if node.base is None:
            triggers += node.image.config.on_build
            node.image.config.on_build = []
        else:
            triggers += [
                step.instruction.expression
                for step in node.base.steps
                if isinstance(step.instruction, OnbuildInstruction)
            ]
        node.has_triggers = True
        node.steps[:0] = [self._trigger(node, text) for text in triggers]

    def _trigger(self, node: StageNode, text: str) -> StageStep:
        instruction = parse_trigger(node, text)
        node.step_total += _is_step(instruction)
        return self.graph.step(node, instruction, is_trigger=True)

    def _count_steps(self) -> None:
        for node in self.graph.nodes:
            if node.stage is None or node.context is not None:
                continue
            node.step_total = (node.base is None and node.base_name != SCRATCH) + sum(
                _is_step(step.instruction) for step in node.steps
            )
            stages = self._options.no_cache_stages
            node.ignores_cache = stages is not None and (
                not stages or node.name.lower() in {stage.lower() for stage in stages}
            )

    def _dispatch(self, scope: CompileScope, node: StageNode) -> None:
        node.inherit()
        node.is_dispatched = True
        node.platform = node.platform or self._platform
        base_images.begin(node)
        for step in node.steps:
            apply_step(scope, node, step)

    def _limit_transfers(self, needed: set[StageNode]) -> None:
        """Set the paths of local directories that the build uses, so that clients send no others."""
        used: set[str] = set()
        for node in needed:
            used |= node.context_paths
            if node.local_context is not None:
                _follow(node.local_context.op, node.local_options, node.paths)
        _follow(self._local_context.op, self._local_options, used)

    def _result(self, target: StageNode, needed: set[StageNode]) -> CompiledBuild:
        image = target.image
        if self._options.labels:
            image.config.labels = {**image.config.labels, **self._options.labels}
        if self._options.target_platforms:
            is_same = (image.os, image.architecture) == (self._platform.os, self._platform.architecture)
            image.os, image.architecture = self._platform.os, self._platform.architecture
            if self._platform.variant or not is_same:
                image.variant = self._platform.variant
            if self._platform.os_version or not is_same:
                image.os_version = self._platform.os_version
        normal = normalize(image.os, image.architecture, image.variant)
        image.os, image.architecture, image.variant = normal.os, normal.architecture, normal.variant
        return CompiledBuild(
            platform=self._platform, definition=marshal(target.output, source=self._source.info), config=image.encode(),
            base_config=target.base_config, is_cache_ignored=any(node.ignores_cache for node in needed),
            base_facts=self._facts(),
        )  # fmt: skip

    def _facts(self) -> dict[int, BaseFacts]:
        """Return the facts of all base images that were loaded."""
        facts: dict[int, BaseFacts] = {}
        for node in self.graph.nodes:
            if node.stage is None or node.base is not None or not node.is_resolved:
                continue
            config = read_image(node.base_config, node.base_name) if node.base_config else None
            facts[node.stage.index] = BaseFacts(
                environment=environment_of(config.config.env) if config else {},
                platform=str(normalize(config.os, config.architecture, config.variant)) if config else "",
                expected_platform=str(node.platform or self._platform),
                user=config.config.user if config else "",
                has_healthcheck=config is not None and config.config.healthcheck is not None,
            )
        return facts


def _is_step(instruction: object) -> bool:
    return isinstance(instruction, AddInstruction | CopyInstruction | RunInstruction | WorkdirInstruction)


def _follow(op: ops_pb2.Op, options: LocalOptions, paths: set[str]) -> None:
    follow = () if "/" in paths else tuple(sorted(path.lstrip("/") for path in paths))
    attributes = local_attributes(msgspec.structs.replace(options, follow=follow))
    op.source.attrs.clear()
    op.source.attrs.update(attributes)
