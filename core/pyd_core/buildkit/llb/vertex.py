"""Vertices of a build graph before they have a digest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from pyd_core.buildkit.proto import ops_pb2
from pyd_core.dockerfile.platforms import ImagePlatform

NO_INPUT = -1
"""Index of an empty file system in mounts and file actions."""
NO_OUTPUT = -1
"""Index of mounts and file actions whose result is discarded."""


class GraphVertex:
    """Operation whose inputs are vertices too; a digest needs those of the inputs and comes with the definition.

    Args:
        op: The operation, without its inputs.
        inputs: Outputs of other vertices, in the order of the operation's input indexes.
        metadata: The operation's name and options, which are no part of its digest.
        lines: First and last line in the source file, or None.
    """

    def __init__(
        self,
        op: ops_pb2.Op,
        inputs: Sequence[VertexOutput] = (),
        *,
        metadata: ops_pb2.OpMetadata | None = None,
        lines: tuple[int, int] | None = None,
    ) -> None:
        self.op = op
        self.inputs = list(inputs)
        self.metadata = metadata or ops_pb2.OpMetadata()
        self.lines = lines

    @property
    def output(self) -> VertexOutput:
        """The first output."""
        return VertexOutput(self, 0)


class VertexOutput(NamedTuple):
    """File system that a vertex produces."""

    vertex: GraphVertex
    number: int
    """Number of the output, from 0."""


class InputList:
    """Inputs of an operation under construction, each once."""

    def __init__(self) -> None:
        self.outputs: list[VertexOutput] = []

    def add(self, output: VertexOutput | None) -> int:
        """Return the index of an input; an empty file system is -1."""
        if output is None:
            return NO_INPUT
        for index, known in enumerate(self.outputs):
            if known.vertex is output.vertex and known.number == output.number:
                return index
        self.outputs.append(output)
        return len(self.outputs) - 1


def describe(
    name: str, *, command: str = "", ignore_cache: bool = False, extra: Mapping[str, str] | None = None
) -> ops_pb2.OpMetadata:
    """Return metadata with the name that progress shows."""
    description = {"llb.customname": name} if name else {}
    if command:
        description["com.docker.dockerfile.v1.command"] = command
    return ops_pb2.OpMetadata(description={**description, **(extra or {})}, ignore_cache=ignore_cache)


def platform_message(platform: ImagePlatform) -> ops_pb2.Platform:
    """Return a platform as LLB has it."""
    return ops_pb2.Platform(
        OS=platform.os, Architecture=platform.architecture, Variant=platform.variant, OSVersion=platform.os_version
    )
