"""Source operations: images, local directories, git repositories, URLs and OCI layouts."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from pyd_core.buildkit.llb.vertex import GraphVertex, platform_message
from pyd_core.buildkit.proto import ops_pb2
from pyd_core.dockerfile.platforms import ImagePlatform


class LocalOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Options of a local directory."""

    session: str = ""
    """Id of the session whose client has the directory."""
    shared_key: str = ""
    """Key under which engines keep the files between builds."""
    follow: Sequence[str] = ()
    """Paths to transfer, with the targets of links; empty is all."""
    include: Sequence[str] = ()
    exclude: Sequence[str] = ()
    compare_metadata: bool = True
    """Whether files that engines have already are compared by metadata; else all are sent."""


class GitOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Options of a git repository."""

    ref: str = ""
    subdirectory: str = ""
    keep_git_directory: bool = False
    checksum: str = ""
    skip_submodules: bool = False


def image_source(
    reference: str, *, platform: ImagePlatform, resolve_mode: str = "", metadata: ops_pb2.OpMetadata | None = None,
    lines: tuple[int, int] | None = None,
) -> GraphVertex:  # fmt: skip
    """Return an image as source."""
    attributes = {"image.resolvemode": resolve_mode} if resolve_mode else {}
    return _source(f"docker-image://{reference}", attributes, platform, metadata, lines)


def oci_layout_source(
    reference: str, *, platform: ImagePlatform, session: str, store: str, metadata: ops_pb2.OpMetadata | None = None
) -> GraphVertex:
    """Return an image in a client's OCI layout as source."""
    attributes = {name: value for name, value in (("oci.session", session), ("oci.store", store)) if value}
    return _source(f"oci-layout://{reference}", attributes, platform, metadata, None)


def local_source(name: str, options: LocalOptions, *, metadata: ops_pb2.OpMetadata | None = None) -> GraphVertex:
    """Return a directory of the client as source."""
    return _source(f"local://{name}", local_attributes(options), None, metadata, None)


def local_attributes(options: LocalOptions) -> dict[str, str]:
    """Return the attributes of a local source."""
    attributes: dict[str, str] = {}
    if options.session:
        attributes["local.session"] = options.session
    for key, paths in (
        ("local.includepattern", options.include),
        ("local.followpaths", options.follow),
        ("local.excludepatterns", options.exclude),
    ):
        if paths:
            attributes[key] = msgspec.json.encode(list(paths)).decode()
    if options.shared_key:
        attributes["local.sharedkeyhint"] = options.shared_key
    if not options.compare_metadata:
        attributes["local.differ"] = "none"
    return attributes


def http_source(
    url: str, *, filename: str, checksum: str = "", metadata: ops_pb2.OpMetadata | None = None,
    lines: tuple[int, int] | None = None,
) -> GraphVertex:  # fmt: skip
    """Return a URL as source: a directory with one file."""
    attributes = {"http.filename": filename}
    if checksum:
        attributes["http.checksum"] = checksum
    return _source(url, attributes, None, metadata, lines)


def git_source(
    remote: str, *, identity: str, is_ssh: bool, options: GitOptions, metadata: ops_pb2.OpMetadata | None = None,
    lines: tuple[int, int] | None = None,
) -> GraphVertex:  # fmt: skip
    """Return a git repository as source.

    Args:
        remote: The URL to fetch from.
        identity: Host and path, the same for each protocol.
        is_ssh: Whether the client's SSH agent is needed.
        options: Ref, subdirectory and so on.
        metadata: The operation's name and options.
        lines: First and last line in the source file.
    """
    fragment = ""
    if options.ref or options.subdirectory:
        fragment = f"#{options.ref}" + (f":{options.subdirectory}" if options.subdirectory else "")
    attributes = {
        "git.fullurl": remote, "git.authtokensecret": "GIT_AUTH_TOKEN", "git.authheadersecret": "GIT_AUTH_HEADER",
    }  # fmt: skip
    if options.keep_git_directory:
        attributes["git.keepgitdir"] = "true"
    if options.checksum:
        attributes["git.checksum"] = options.checksum
    if options.skip_submodules:
        attributes["git.skipsubmodules"] = "true"
    if is_ssh:
        attributes["git.mountsshsock"] = "default"
    return _source(f"git://{identity}{fragment}", attributes, None, metadata, lines)


def _source(
    identifier: str, attributes: dict[str, str], platform: ImagePlatform | None, metadata: ops_pb2.OpMetadata | None,
    lines: tuple[int, int] | None,
) -> GraphVertex:  # fmt: skip
    op = ops_pb2.Op(source=ops_pb2.SourceOp(identifier=identifier, attrs=attributes))
    if platform is not None:
        op.platform.CopyFrom(platform_message(platform))
    return GraphVertex(op, metadata=metadata, lines=lines)
