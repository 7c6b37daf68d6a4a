"""Values that compiling each instruction of a Dockerfile needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pyd_core.buildkit.frontend.options import FrontendOptions
from pyd_core.buildkit.llb.files import NO_TIME
from pyd_core.buildkit.llb.vertex import VertexOutput
from pyd_core.dockerfile.instructions import TypedInstruction
from pyd_core.dockerfile.platforms import ImagePlatform


@dataclass(frozen=True, kw_only=True)
class CompileScope:
    """Values for one platform."""

    options: FrontendOptions
    arguments: Mapping[str, str]
    """Global arguments."""
    escape: str
    target_platform: ImagePlatform
    context: VertexOutput
    """The build context."""
    is_classic: bool = False
    """Whether instructions do what the classic builder does.

    There, COPY of a single pattern that nothing matches fails, and RUN mounts the image's volumes.
    """

    @property
    def shows_platform(self) -> bool:
        """Whether names of steps have the platform."""
        return self.options.is_multi_platform

    @property
    def timestamp_ns(self) -> int:
        """Time of new files, or -1 for the present."""
        return NO_TIME if self.options.epoch_s is None else self.options.epoch_s * 1_000_000_000

    @staticmethod
    def lines(instruction: TypedInstruction) -> tuple[int, int] | None:
        """Return the lines of an instruction, or None for one that isn't in the file."""
        span = instruction.span
        return (span.start, span.end) if span.start else None
