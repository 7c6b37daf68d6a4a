"""Compiler of Dockerfiles by instruction, for a builder that makes an image of each step."""

from __future__ import annotations

from pyd_core.buildkit.frontend import base_images
from pyd_core.buildkit.frontend.arguments import global_arguments
from pyd_core.buildkit.frontend.compiler import apply_step, parse_trigger
from pyd_core.buildkit.frontend.image import BuiltImageConfig
from pyd_core.buildkit.frontend.options import FrontendOptions
from pyd_core.buildkit.frontend.scope import CompileScope
from pyd_core.buildkit.frontend.stage_graph import StageGraph
from pyd_core.buildkit.frontend.stage_node import StageNode, StageStep
from pyd_core.buildkit.llb.vertex import VertexOutput
from pyd_core.dockerfile.instructions import TypedInstruction
from pyd_core.dockerfile.platforms import ImagePlatform
from pyd_core.dockerfile.stages import divide
from pyd_core.dockerfile.tree import DockerfileTree


class StepCompiler:
    """Compiler that its caller drives: it provides bases, and may replace a stage's output after each step.

    Args:
        tree: The Dockerfile.
        options: The build's options.
        context: The build context.
        platform: The platform to build for.

    Attributes:
        stages: The stages up to the target, in the order of the file.
        global_instructions: ARG before the first FROM.
        escape: The file's escape character.

    Raises:
        DockerfileError: An instruction is malformed, or a stage doesn't exist.
    """

    def __init__(
        self, tree: DockerfileTree, options: FrontendOptions, context: VertexOutput, platform: ImagePlatform
    ) -> None:
        dockerfile = divide(tree)
        escape = self.escape = tree.directives.escape
        self.global_instructions = dockerfile.global_arguments
        arguments = global_arguments(dockerfile.global_arguments, {}, options.build_args, escape=escape)
        self._graph = StageGraph(dockerfile, arguments, escape=escape, find_context=lambda _node, _name: None)
        target = self._graph.target(options.target)
        stages = [node for node in self._graph.nodes if node.is_stage]
        self.stages = stages[: stages.index(target) + 1]
        self._platform = platform
        self._scope = CompileScope(
            options=options, arguments=arguments, escape=escape, target_platform=platform, context=context,
            is_classic=True,
        )  # fmt: skip

    def connect(self) -> None:
        """Add the steps of all stages.

        Raises:
            DockerfileError: A stage doesn't exist, or stages need each other in a circle.
        """
        self._graph.connect()

    def begin(self, node: StageNode) -> list[str]:
        """Begin a stage whose base is there, and return the triggers of the base."""
        triggers = node.base.image.config.on_build if node.base is not None else node.image.config.on_build
        node.inherit()
        node.image.config.on_build = []
        node.is_dispatched = True
        node.platform = node.platform or self._platform
        base_images.begin(node)
        return list(triggers)

    @staticmethod
    def provide(node: StageNode, image: BuiltImageConfig, output: VertexOutput | None) -> None:
        """Set the image of a stage's FROM, or of COPY --from."""
        node.image = image
        node.output = output
        node.is_resolved = True
        node.is_dispatched = not node.is_stage

    def step(self, node: StageNode, instruction: TypedInstruction) -> StageStep:
        """Return an instruction that isn't in the file as a step."""
        return self._graph.step(node, instruction)

    def trigger(self, node: StageNode, text: str) -> StageStep:
        """Return a trigger of the base as a step.

        Raises:
            DockerfileError: It can't be read.
        """
        return self._graph.step(node, parse_trigger(node, text), is_trigger=True)

    def apply(self, node: StageNode, step: StageStep) -> None:
        """Apply a step to its stage.

        Raises:
            DockerfileError: It can't be built.
        """
        apply_step(self._scope, node, step)

    def expand_words(self, node: StageNode, text: str) -> tuple[str, ...]:
        """Replace the variables of a stage in a text, and split it into words."""
        return node.expand_words(text, self._scope.escape)
