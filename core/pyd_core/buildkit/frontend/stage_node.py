"""Stages while they are compiled: file system, environment and configuration after the last instruction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from pyd_core.buildkit.frontend.image import BuiltImageConfig
from pyd_core.buildkit.llb.sources import LocalOptions
from pyd_core.buildkit.llb.vertex import GraphVertex, VertexOutput
from pyd_core.dockerfile.expansion import ExpansionRules, expand
from pyd_core.dockerfile.instructions import Stage, TypedInstruction
from pyd_core.dockerfile.platforms import ImagePlatform
from pyd_core.dockerfile.span import NOWHERE, LineSpan


class StageStep(NamedTuple):
    """Instruction of a stage, with the stages and images that it takes files from."""

    instruction: TypedInstruction
    sources: tuple[StageNode | None, ...]
    """The stage of `COPY --from`, or those of each mount of RUN; None is the build context or none."""
    is_trigger: bool = False
    """Whether it is an ONBUILD trigger of the base."""


class StageNode:
    """Stage, or an image or context that is used by its name as if it were one.

    Args:
        name: The stage's name; empty for images and unnamed stages.
        base_name: The expanded name after FROM.
        stage: The stage in the file; None for images and contexts.
        span: The lines of FROM, or of the instruction that names the image.
    """

    def __init__(self, name: str, base_name: str, *, stage: Stage | None, span: LineSpan = NOWHERE) -> None:
        self.name = name
        self.base_name = base_name
        self.stage = stage
        self.span = span
        self.shown_name = name
        self.base: StageNode | None = None
        self.platform: ImagePlatform | None = None
        self.context: str | None = None
        """Name of the context that replaces it."""
        self.steps: list[StageStep] = []
        self.dependencies: dict[StageNode, LineSpan] = {}
        self.ignores_cache = False
        self.step_total = 0
        self.step_number = 0
        self.is_resolved = False
        self.is_dispatched = False
        self.has_triggers = False
        """Whether the ONBUILD triggers of its base are among its steps."""
        self.output: VertexOutput | None = None
        self.environment: dict[str, str] = {}
        self.directory = "/"
        self.user = ""
        self.image = BuiltImageConfig()
        self.base_config: bytes = b""
        """The configuration of its base image, for checks and provenance."""
        self.arguments: list[tuple[str, str | None]] = []
        self.paths: set[str] = set()
        """Paths that other stages use; the base has the same set."""
        self.context_paths: set[str] = set()
        """Paths of the build context that it uses."""
        self.has_command = False
        self.local_context: GraphVertex | None = None
        """The local source of a named context; the paths to transfer are known after all stages."""
        self.local_options = LocalOptions()

    @property
    def is_stage(self) -> bool:
        """Whether it is a stage in the file."""
        return self.stage is not None

    def inherit(self) -> None:
        """Continue where the base stage ended."""
        base = self.base
        if base is None:
            return
        self.output = base.output
        self.environment = dict(base.environment)
        self.platform = base.platform
        self.image = base.image.copied()
        self.image.config.on_build = []
        self.base_config = base.base_config
        self.paths = base.paths

    def expand(self, text: str, escape: str) -> str:
        """Replace variables in a text and remove quotes.

        Raises:
            DockerfileError: The text is malformed.
        """
        return expand(text, self.environment, ExpansionRules(escape=escape)).text if text else text

    def expand_words(self, text: str, escape: str) -> tuple[str, ...]:
        """Replace variables in a text, and split it into words."""
        return expand(text, self.environment, ExpansionRules(escape=escape)).words

    def expand_document(self, text: str) -> str:
        """Replace variables in a here-document; quotes are kept."""
        return expand(text, self.environment, ExpansionRules(ignore_quotes=True)).text

    def set_variable(self, name: str, value: str) -> None:
        """Set a variable for the instructions that follow."""
        self.environment[name] = value


def reachable(target: StageNode) -> Iterator[StageNode]:
    """Yield a stage and all that it needs."""
    seen: set[StageNode] = set()
    stack = [target]
    while stack:
        node = stack.pop()
        if node in seen:
            continue
        seen.add(node)
        yield node
        stack += node.dependencies
        if node.base is not None:
            stack.append(node.base)


def environment_of(entries: list[str]) -> Mapping[str, str]:
    """Return the variables of a configuration."""
    return {name: value for name, _, value in (entry.partition("=") for entry in entries)}
