"""Stages of a Dockerfile, and the ARG instructions before the first."""

from __future__ import annotations

from pyd_core.dockerfile.instruction_parser import parse_typed
from pyd_core.dockerfile.instructions import ArgInstruction, FromInstruction, Stage, StagedDockerfile, TypedInstruction
from pyd_core.dockerfile.tree import DockerfileTree
from pyd_core.errors import DockerfileError

MAX_STAGES = 1000
"""Limit for a Dockerfile."""


def divide(tree: DockerfileTree) -> StagedDockerfile:
    """Divide a Dockerfile into stages.

    Raises:
        DockerfileError: An instruction is malformed, or stands before the first FROM.
    """
    arguments: list[ArgInstruction] = []
    stages: list[tuple[FromInstruction, list[TypedInstruction]]] = []
    for node in tree.instructions:
        instruction = parse_typed(node)
        if isinstance(instruction, FromInstruction):
            if len(stages) == MAX_STAGES:
                raise DockerfileError(f"a Dockerfile can have {MAX_STAGES:,} stages", line=node.span.start)
            stages.append((instruction, []))
        elif stages:
            stages[-1][1].append(instruction)
        elif isinstance(instruction, ArgInstruction):
            arguments.append(instruction)
        else:
            raise DockerfileError(
                f"dockerfile parse error on line {node.span.start}: no build stage in current context",
                line=node.span.start, end_line=node.span.end, hint="begin with FROM; only ARG may stand before it",
            )  # fmt: skip
    if not stages:
        raise DockerfileError("dockerfile contains no stages to build", hint="begin with FROM")
    by_name: dict[str, int] = {}
    divided: list[Stage] = []
    for index, (start, body) in enumerate(stages):
        divided.append(Stage(index, start, tuple(body), by_name.get(start.base, -1)))
        if start.name:
            by_name[start.name] = index
    return StagedDockerfile(tuple(arguments), tuple(divided))
