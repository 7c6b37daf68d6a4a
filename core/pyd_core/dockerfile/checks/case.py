"""Input of checks: the Dockerfile, and what is known of its bases and context."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from pyd_core.dockerfile.instructions import Stage, StagedDockerfile, TypedInstruction
from pyd_core.dockerfile.parser import parse_dockerfile
from pyd_core.dockerfile.stages import divide
from pyd_core.dockerfile.tree import DockerfileTree


class BaseFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Facts of a stage's base image."""

    environment: Mapping[str, str]
    platform: str = ""
    """The platform it says it is for."""
    expected_platform: str = ""
    user: str = ""
    has_healthcheck: bool = False


class CheckCase(msgspec.Struct, frozen=True, kw_only=True):
    """Input of checks."""

    tree: DockerfileTree
    dockerfile: StagedDockerfile
    target: str = ""
    """The stage to build; empty means the last."""
    build_args: Mapping[str, str] = {}
    bases: Mapping[int, BaseFacts] = {}
    """Facts by the number of the stage; stages without are unknown."""
    ignore_patterns: Sequence[str] | None = None
    """Patterns of the ignore file; None if there is none, or it is unknown."""
    has_ignore_file: bool | None = None
    """Whether the context has an ignore file; None if that is unknown."""

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The stages."""
        return self.dockerfile.stages

    @property
    def target_stage(self) -> Stage:
        """The stage that becomes the image."""
        named = [stage for stage in self.stages if stage.name and stage.name == self.target.lower()]
        if named:
            return named[-1]
        if self.target.isascii() and self.target.isdecimal() and int(self.target[:5]) < len(self.stages):
            return self.stages[int(self.target[:5])]
        return self.stages[-1]

    def base_of(self, stage: Stage) -> Stage | None:
        """Return the stage that a stage continues, or None."""
        return self.stages[stage.base_index] if stage.base_index >= 0 else None

    def chain(self, stage: Stage) -> list[Stage]:
        """Return a stage and those that it continues, the first one first."""
        chain = [stage]
        while (base := self.base_of(chain[-1])) is not None:
            chain.append(base)
        return chain[::-1]

    def instructions(self) -> list[Located]:
        """Return all instructions with their stages."""
        return [Located(stage, instruction) for stage in self.stages for instruction in stage.instructions]


class Located(NamedTuple):
    """Instruction and its stage."""

    stage: Stage
    instruction: TypedInstruction


def read_case(content: bytes, *, name: str = "Dockerfile", target: str = "") -> CheckCase:
    """Parse a Dockerfile for checks.

    Raises:
        DockerfileError: It can't be read.
    """
    tree = parse_dockerfile(content, name=name)
    return CheckCase(tree=tree, dockerfile=divide(tree), target=target)
