"""Git repositories as sources, for ADD and as build contexts."""

from __future__ import annotations

from pyd_core.buildkit.llb.sources import GitOptions, git_source
from pyd_core.buildkit.llb.vertex import VertexOutput
from pyd_core.buildkit.proto import ops_pb2
from pyd_core.dockerfile.git_references import GitReference


def git_output(
    repository: GitReference, *, keep_git_directory: bool, checksum: str, metadata: ops_pb2.OpMetadata,
    lines: tuple[int, int] | None = None,
) -> VertexOutput:  # fmt: skip
    """Return a repository's files."""
    return git_source(
        repository.remote, identity=repository.identity, is_ssh=repository.is_ssh,
        options=GitOptions(
            ref=repository.ref, subdirectory=repository.subdirectory, keep_git_directory=keep_git_directory,
            checksum=checksum, skip_submodules=repository.submodules is False,
        ),
        metadata=metadata, lines=lines,
    ).output  # fmt: skip
