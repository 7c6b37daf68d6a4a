"""Instructions with their options and arguments in types; variables in them aren't replaced yet."""

from __future__ import annotations

import msgspec

from pyd_core.dockerfile.mounts import MountText
from pyd_core.dockerfile.span import LineSpan
from pyd_core.dockerfile.tree import Heredoc, InstructionNode
from pyd_core.model.container_config import HealthConfig


class TypedInstruction(msgspec.Struct, frozen=True, kw_only=True):
    """Base class of instructions."""

    node: InstructionNode

    @property
    def span(self) -> LineSpan:
        """The lines in the file."""
        return self.node.span

    @property
    def source(self) -> str:
        """The instruction as a line, as it is shown."""
        return self.node.original.strip()


class Pair(msgspec.Struct, frozen=True):
    """Name and value."""

    name: str
    value: str


class ArgDeclaration(msgspec.Struct, frozen=True):
    """Variable of an ARG instruction."""

    name: str
    default: str | None = None


class ArgInstruction(TypedInstruction, frozen=True, kw_only=True):
    """ARG."""

    declarations: tuple[ArgDeclaration, ...]


class EnvInstruction(TypedInstruction, frozen=True, kw_only=True):
    """ENV."""

    pairs: tuple[Pair, ...]


class LabelInstruction(TypedInstruction, frozen=True, kw_only=True):
    """LABEL."""

    pairs: tuple[Pair, ...]


class TransferInstruction(TypedInstruction, frozen=True, kw_only=True):
    """COPY or ADD."""

    sources: tuple[str, ...]
    documents: tuple[Heredoc, ...]
    destination: str
    chown: str = ""
    chmod: str = ""
    link: bool = False
    excludes: tuple[str, ...] = ()


class CopyInstruction(TransferInstruction, frozen=True, kw_only=True):
    """COPY."""

    stage: str = ""
    """The `--from` option: a stage, an image or a named context."""
    parents: bool = False


class AddInstruction(TransferInstruction, frozen=True, kw_only=True):
    """ADD."""

    checksum: str = ""
    keep_git_dir: bool | None = None
    unpack: bool | None = None


class CommandInstruction(TypedInstruction, frozen=True, kw_only=True):
    """RUN, CMD or ENTRYPOINT."""

    command: tuple[str, ...]
    uses_shell: bool


class RunInstruction(CommandInstruction, frozen=True, kw_only=True):
    """RUN."""

    mounts: tuple[MountText, ...] = ()
    network: str = ""
    security: str = ""
    devices: tuple[str, ...] = ()
    heredocs: tuple[Heredoc, ...] = ()


class CmdInstruction(CommandInstruction, frozen=True, kw_only=True):
    """CMD."""


class EntrypointInstruction(CommandInstruction, frozen=True, kw_only=True):
    """ENTRYPOINT."""


class HealthcheckInstruction(TypedInstruction, frozen=True, kw_only=True):
    """HEALTHCHECK."""

    health: HealthConfig


class ExposeInstruction(TypedInstruction, frozen=True, kw_only=True):
    """EXPOSE."""

    ports: tuple[str, ...]


class VolumeInstruction(TypedInstruction, frozen=True, kw_only=True):
    """VOLUME."""

    paths: tuple[str, ...]


class ShellInstruction(TypedInstruction, frozen=True, kw_only=True):
    """SHELL."""

    shell: tuple[str, ...]


class OnbuildInstruction(TypedInstruction, frozen=True, kw_only=True):
    """ONBUILD."""

    expression: str
    """The trigger as a line, with its here-documents."""


class UserInstruction(TypedInstruction, frozen=True, kw_only=True):
    """USER."""

    user: str


class WorkdirInstruction(TypedInstruction, frozen=True, kw_only=True):
    """WORKDIR."""

    path: str


class StopSignalInstruction(TypedInstruction, frozen=True, kw_only=True):
    """STOPSIGNAL."""

    signal: str


class MaintainerInstruction(TypedInstruction, frozen=True, kw_only=True):
    """MAINTAINER."""

    maintainer: str


class FromInstruction(TypedInstruction, frozen=True, kw_only=True):
    """FROM."""

    base: str
    name: str = ""
    """The stage's name in lower case, or an empty text."""
    written_name: str = ""
    platform: str = ""


class Stage(msgspec.Struct, frozen=True):
    """Stage: a FROM and the instructions up to the next."""

    index: int
    start: FromInstruction
    instructions: tuple[TypedInstruction, ...]
    base_index: int = -1
    """Number of the earlier stage that it continues; -1 if the base is an image, or has variables."""

    @property
    def name(self) -> str:
        """The stage's name, or an empty text."""
        return self.start.name


class StagedDockerfile(msgspec.Struct, frozen=True):
    """Dockerfile divided into stages."""

    global_arguments: tuple[ArgInstruction, ...]
    stages: tuple[Stage, ...]
