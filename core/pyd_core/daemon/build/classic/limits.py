"""Instructions and options that the classic builder refuses, as Docker Engine's does."""

from __future__ import annotations

import posixpath
from urllib.parse import urlsplit

from pyd_core.buildkit.frontend.stage_node import StageNode
from pyd_core.daemon.build.solver.patterns import has_wildcard
from pyd_core.dockerfile.git_references import parse_git_reference
from pyd_core.dockerfile.instructions import CopyInstruction, RunInstruction, TransferInstruction, TypedInstruction
from pyd_core.errors import DockerfileError, InvalidInput, PydError, Unsupported

_BUILDKIT_FLAGS = ("mount", "network", "security", "device", "chmod", "parents", "exclude", "keep-git-dir", "unpack")


def refuse_buildkit(instruction: TypedInstruction) -> None:
    """Refuse an instruction with an option that the classic builder doesn't have.

    Raises:
        Unsupported: It has one.
    """
    number, word = instruction.span.start, instruction.node.word
    for flag in instruction.node.flags:
        name = flag.removeprefix("--").partition("=")[0]
        if isinstance(instruction, RunInstruction | TransferInstruction) and name in _BUILDKIT_FLAGS:
            raise _needs_buildkit(number, f"{word} --{name}")
    if instruction.node.heredocs:
        raise _needs_buildkit(number, f"{word} with a here-document")


def check_stage(instruction: TypedInstruction, stage: int) -> None:
    """Check the number of the stage that COPY takes files from.

    Args:
        instruction: The instruction.
        stage: The number of its stage.

    Raises:
        DockerfileError: It is no earlier stage.
    """
    if not isinstance(instruction, CopyInstruction) or not instruction.stage.isdecimal():
        return
    name = instruction.stage[:20]
    if len(name) < 6 and int(name) < stage:
        return
    words = "refers to current build stage" if len(name) < 6 and int(name) == stage else "no such stage comes before"
    raise DockerfileError(f"invalid from flag value {name}: {words}", line=instruction.span.start)


def check_destination(instruction: TransferInstruction, node: StageNode, escape: str) -> None:
    """Check that the destination of a COPY or ADD can take its sources.

    Raises:
        DockerfileError: It is no directory, or the name of a download isn't known.
        Unsupported: A source is a Git repository.
    """
    destination = node.expand(instruction.destination, escape)
    if len(instruction.sources) > 1 and not destination.endswith("/"):
        raise DockerfileError(
            f"When using {instruction.node.word} with more than one source file, the destination must be a directory "
            "and end with a /"
        )
    if node.expand(instruction.chown, escape).startswith(":"):
        raise DockerfileError("unable to convert uid/gid chown string to host mapping: no such user: ''")
    for source in instruction.sources:
        url = node.expand(source, escape)
        if _is_repository(url):
            raise _needs_buildkit(instruction.span.start, f"{instruction.node.word} of a repository")
        if url.startswith(("http://", "https://")) and destination.endswith("/") and not _file_name(url):
            raise DockerfileError(f"cannot determine filename for source {url[:200]}")


def _is_repository(source: str) -> bool:
    try:
        repository = parse_git_reference(source)
    except InvalidInput:
        return False  # the front end reports it
    return repository is not None and not repository.looks_local


def _file_name(url: str) -> str:
    try:
        return posixpath.basename(urlsplit(url).path)
    except ValueError:
        return ""


def _needs_buildkit(number: int, subject: str) -> Unsupported:
    return Unsupported(
        f"dockerfile parse error on line {number}: {subject} requires BuildKit, which this client doesn't use",
        hint="build without DOCKER_BUILDKIT=0, or with `pyd build`",
        reference="needs-buildkit",
    )


def copy_failure(instruction: TransferInstruction, error: PydError) -> str:
    """Return why a COPY or ADD failed, in Docker Engine's words where a source is missing."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, PydError) and cause.reference == "copy-source-missing":
            if all(map(has_wildcard, instruction.sources)):
                return f"{instruction.node.word} failed: no source files were specified"
            in_context = not (isinstance(instruction, CopyInstruction) and instruction.stage)
            where = "file not found in build context or excluded by .dockerignore: " if in_context else ""
            missing = cause.message.removeprefix("lstat ").rpartition(":")[0].lstrip("/")
            missing = missing or instruction.sources[0][:300]
            return f"{instruction.node.word} failed: {where}stat {missing}: file does not exist"
        cause = cause.__cause__
    return f"{instruction.node.word} failed: {error.message}"
