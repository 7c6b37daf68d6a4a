"""The graph of a Dockerfile's stages: bases, files that stages take from each other, and what the target needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pyd_core.buildkit.frontend.stage_node import StageNode, StageStep
from pyd_core.dockerfile.expansion import ExpansionRules, expand
from pyd_core.dockerfile.instructions import CopyInstruction, RunInstruction, StagedDockerfile, TypedInstruction
from pyd_core.dockerfile.mounts import MountText
from pyd_core.dockerfile.platforms import parse_platform_text
from pyd_core.dockerfile.span import LineSpan
from pyd_core.dockerfile.suggestions import did_you_mean, nearest_word
from pyd_core.errors import DockerfileError, InvalidInput

SCRATCH = "scratch"


class StageGraph:
    """Stages of a Dockerfile, and the images and contexts that they use.

    Args:
        dockerfile: The stages in the file.
        arguments: Global arguments.
        escape: The file's escape character.
        find_context: Returns the named context that replaces a name, or None.

    Raises:
        DockerfileError: A base is blank, or a platform is not one.
    """

    def __init__(
        self,
        dockerfile: StagedDockerfile,
        arguments: Mapping[str, str],
        *,
        escape: str,
        find_context: Callable[[StageNode, str], str | None],
    ) -> None:
        self.nodes: list[StageNode] = []
        self._stages: list[StageNode] = []
        self._by_name: dict[str, StageNode] = {}
        self._escape = escape
        self._arguments = arguments
        self._find_context = find_context
        for stage in dockerfile.stages:
            start = stage.start
            base = self._expand(start.base, start.span)
            if not base:
                unset = expand(start.base, arguments, ExpansionRules(escape=escape)).unmatched
                nearest = "".join(did_you_mean(name, arguments) for name in sorted(unset)[:1])
                raise DockerfileError(
                    f"base name ({start.base[:120]}) should not be blank{nearest}",
                    line=start.span.start, end_line=start.span.end, hint="declare the argument before the first FROM",
                )  # fmt: skip
            node = StageNode(stage.name, base, stage=stage, span=start.span)
            if start.platform:
                self._set_platform(node, start.platform)
            node.shown_name = stage.name or f"stage-{stage.index}"
            if stage.name:
                node.context = find_context(node, stage.name)
            self._register(node, use_base=node.context is None)

    def connect(self) -> None:
        """Add the steps, and the images that they use.

        Raises:
            DockerfileError: A stage doesn't exist, or stages need each other in a circle.
        """
        for node in [*self.nodes]:
            if node.stage is not None and node.context is None:
                for instruction in node.stage.instructions:
                    node.steps.append(self.step(node, instruction))
        self._refuse_circles()
        if len(self.nodes) == 1:
            self.nodes[0].shown_name = ""

    def step(self, node: StageNode, instruction: TypedInstruction, *, is_trigger: bool = False) -> StageStep:
        """Return an instruction with the stages it takes files from, which become dependencies of its stage."""
        sources: tuple[StageNode | None, ...] = ()
        if isinstance(instruction, CopyInstruction) and instruction.stage:
            sources = (self._source(instruction.stage, instruction.span, allow_index=True),)
        elif isinstance(instruction, RunInstruction):
            sources = tuple(self._mount_source(mount, instruction.span) for mount in instruction.mounts)
        for source in sources:
            if source is not None:
                node.dependencies.setdefault(source, instruction.span)
        return StageStep(instruction, sources, is_trigger)

    def target(self, name: str) -> StageNode:
        """Return the stage to build; an empty name means the last.

        Raises:
            DockerfileError: No such stage.
        """
        stages = [node for node in self.nodes if node.is_stage]
        if not name:
            return stages[-1]
        node = self._by_name.get(name.lower())
        if node is not None and node.is_stage:
            return node
        if name.isascii() and name.isdecimal() and len(name) < 6 and int(name) < len(stages):
            return stages[int(name)]
        names = [stage.name for stage in stages if stage.name]
        raise DockerfileError(
            f'target stage "{name[:120]}" could not be found{did_you_mean(name, names)}',
            hint=f"the stages are {', '.join(names[:20])}" if names else "no stage has a name",
            reference="no-such-stage",
        )

    @property
    def names(self) -> list[str]:
        """Names of the stages."""
        return [node.name for node in self.nodes if node.name]

    def nearest_name(self, word: str) -> str:
        """Return the stage whose name is most similar to a word, or an empty text."""
        return nearest_word(word, self.names)

    def _register(self, node: StageNode, *, use_base: bool = True) -> None:
        if use_base:
            node.base = self._by_name.get(node.base_name)
        self.nodes.append(node)
        if node.is_stage:
            self._stages.append(node)
        if node.name:
            self._by_name[node.name] = node

    def _expand(self, text: str, span: LineSpan) -> str:
        try:
            return expand(text, self._arguments, ExpansionRules(escape=self._escape)).text
        except DockerfileError as error:
            raise DockerfileError(error.message, line=span.start, end_line=span.end, hint=error.hint) from None

    def _set_platform(self, node: StageNode, text: str) -> None:
        platform = self._expand(text, node.span)
        try:
            node.platform = parse_platform_text(platform)
        except InvalidInput as error:
            unset = expand(text, self._arguments, ExpansionRules(escape=self._escape)).unmatched
            nearest = "".join(did_you_mean(name, self._arguments) for name in sorted(unset)[:1])
            raise DockerfileError(
                f"failed to parse platform {text[:120]}: {error.message}{nearest}",
                line=node.span.start, end_line=node.span.end, hint=error.hint,
            ) from None  # fmt: skip

    def _source(self, name: str, span: LineSpan, *, allow_index: bool) -> StageNode:
        if allow_index and name.isascii() and name.isdecimal():
            stages = self._stages
            if len(name) > 5 or int(name) >= len(stages):
                raise DockerfileError(
                    f"invalid stage index {name[:40]}", line=span.start, end_line=span.end,
                    hint=f"stages are numbered from 0 to {len(stages) - 1}",
                )  # fmt: skip
            return stages[int(name)]
        if "$" in name and expand(name, {}).text != name:
            raise DockerfileError(
                "variable expansion is not supported for --from, define a new stage with FROM using ARG from global "
                "scope as a workaround",
                line=span.start, end_line=span.end, hint="FROM ${NAME} AS alias",
            )  # fmt: skip
        known = self._by_name.get(name.lower())
        if known is not None:
            return known
        image = StageNode("", name, stage=None, span=span)
        self._register(image)
        return image

    def _mount_source(self, mount: MountText, span: LineSpan) -> StageNode | None:
        if not mount.stage or mount.kind in {"tmpfs", "secret", "ssh"}:
            return None
        return self._source(mount.stage, span, allow_index=False)

    def _refuse_circles(self) -> None:
        done: set[StageNode] = set()
        for root in self.nodes:
            path: dict[StageNode, None] = {}
            stack: list[tuple[StageNode, bool]] = [(root, False)]
            while stack:
                node, is_left = stack.pop()
                if is_left:
                    path.popitem()
                    done.add(node)
                    continue
                if node in done:
                    continue
                if node in path:
                    raise _circle([*path], node)
                path[node] = None
                stack.append((node, True))
                stack += [(needed, False) for needed in node.dependencies]
                if node.base is not None:
                    stack.append((node.base, False))


def _circle(path: list[StageNode], node: StageNode) -> DockerfileError:
    span = path[-1].dependencies.get(node, node.span)
    circle = [*path[path.index(node) :], node]
    return DockerfileError(
        f"circular dependency detected on stage: {node.shown_name}", line=span.start, end_line=span.end,
        hint=" needs ".join(stage.shown_name for stage in circle[:10]),
    )  # fmt: skip
