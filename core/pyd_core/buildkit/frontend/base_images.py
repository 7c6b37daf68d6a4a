"""Bases of stages: images, `scratch` and named contexts, and the environment that stages begin with."""

from __future__ import annotations

from pyd_core.buildkit.frontend.image import DEFAULT_PATH, empty_image, read_image
from pyd_core.buildkit.frontend.metadata_steps import set_directory
from pyd_core.buildkit.frontend.named_contexts import (
    LoadedContext,
    find_context,
    full_reference,
    load_context,
    pinned,
)
from pyd_core.buildkit.frontend.naming import step_name
from pyd_core.buildkit.frontend.options import FrontendOptions
from pyd_core.buildkit.frontend.services import FrontendServices
from pyd_core.buildkit.frontend.stage_graph import SCRATCH
from pyd_core.buildkit.frontend.stage_node import StageNode, environment_of
from pyd_core.buildkit.llb.sources import image_source
from pyd_core.buildkit.llb.vertex import describe, platform_message
from pyd_core.dockerfile.platforms import ImagePlatform
from pyd_core.errors import DockerfileError, PydError
from pyd_core.model import reference as references


class BaseResolver:
    """Resolves the bases of stages.

    Args:
        options: The build's options.
        services: The engine's services.
        target_platform: The platform to build for.
    """

    def __init__(self, options: FrontendOptions, services: FrontendServices, target_platform: ImagePlatform) -> None:
        self._options = options
        self._services = services
        self._target = target_platform

    async def resolve(self, node: StageNode, stage_names: list[str]) -> None:
        """Load the base of a stage that has no other stage as base.

        Raises:
            DockerfileError: The base's name is malformed, or there is no such image.
        """
        node.is_resolved = True
        try:
            await self._resolve(node)
        except PydError as error:
            if isinstance(error, DockerfileError) and error.line:
                raise
            from pyd_core.dockerfile.suggestions import did_you_mean  # noqa: PLC0415 - only a failure pays for it

            nearest = did_you_mean(node.base_name, stage_names) if "/" not in node.base_name else ""
            raise DockerfileError(
                f"{node.base_name[:200]}: {error.message}{nearest}", line=node.span.start, end_line=node.span.end,
                hint=error.hint, reference=error.reference,
            ) from error  # fmt: skip
        node.is_dispatched = node.is_dispatched or not node.is_stage

    async def _resolve(self, node: StageNode) -> None:
        platform = node.platform or self._target
        if node.context is not None:
            self._use(node, await load_context(node.context, self._options, self._services, platform), platform)
            node.is_dispatched = True
            return
        if node.base_name == SCRATCH:
            node.output = None
            node.image = empty_image(self._target)
            node.platform = self._target
            return
        if (key := find_context(self._options, node.base_name, platform)) is not None:
            self._use(node, await load_context(key, self._options, self._services, platform), platform)
            return
        await self._use_image(node, platform)

    async def _use_image(self, node: StageNode, platform: ImagePlatform) -> None:
        reference = full_reference(references.parse(node.base_name))
        mode = "" if self._options.resolve_mode == "default" else self._options.resolve_mode
        shown = f"{platform} " if self._options.is_multi_platform else ""
        digest, config = await self._services.image_config(
            reference, platform=platform_message(platform), resolve_mode=mode,
            log_name=f"[{shown}internal] load metadata for {reference}",
        )  # fmt: skip
        node.image = read_image(config, node.base_name)
        node.base_config = config
        node.platform = platform
        if not node.image.has_layers:
            node.output = None
            return
        name = pinned(reference, digest)
        lines = (node.span.start, node.span.end) if node.span.start else None
        node.output = image_source(
            name, platform=platform, resolve_mode=mode, lines=lines,
            metadata=describe(
                step_name(node, f"FROM {name}", with_platform=self._options.is_multi_platform),
                command=node.stage.start.source if node.stage else "",
            ),
        ).output  # fmt: skip

    def _use(self, node: StageNode, context: LoadedContext, platform: ImagePlatform) -> None:
        node.output = context.output
        node.base_config = context.config
        node.image = context.image or empty_image(platform)
        node.platform = platform
        node.local_context = context.local
        node.local_options = context.local_options or node.local_options


def begin(node: StageNode) -> None:
    """Set the environment, directory and user with which a stage's instructions begin."""
    config = node.image.config
    if "PATH" not in environment_of(config.env) and node.image.os != "windows":
        config.env = [*config.env, f"PATH={DEFAULT_PATH}"]
    node.environment.update(environment_of(config.env))
    node.directory = "/"
    if config.working_dir:
        set_directory(node, config.working_dir)
    node.user = config.user
