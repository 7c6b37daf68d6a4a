"""Loading of Dockerfiles: from the client's directory, a git repository, an archive behind a URL, or an input."""

from __future__ import annotations

import posixpath

from pyd_core.buildkit.frontend.compiler import DockerfileSource
from pyd_core.buildkit.frontend.git_sources import git_output
from pyd_core.buildkit.frontend.named_contexts import MAX_IGNORE_BYTES
from pyd_core.buildkit.frontend.options import DEFAULT_DOCKERFILE, FrontendOptions
from pyd_core.buildkit.frontend.services import FrontendServices
from pyd_core.buildkit.llb.definition import marshal, unmarshal
from pyd_core.buildkit.llb.files import FileOpBuilder, source_path
from pyd_core.buildkit.llb.sources import LocalOptions, http_source, local_source
from pyd_core.buildkit.llb.vertex import VertexOutput, describe
from pyd_core.buildkit.proto import ops_pb2
from pyd_core.dockerfile.git_references import parse_git_reference
from pyd_core.dockerfile.ignore import IGNORE_FILE, read_patterns
from pyd_core.dockerfile.parser import MAX_DOCKERFILE_BYTES
from pyd_core.errors import NotFound

ARCHIVE_PROBE_BYTES = 1024
_TAR_MAGIC_OFFSET = 257
_MAGIC = (b"BZh", b"\x1f\x8b\x08", b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd")
_REMOTE_NAME = "context"
"""Name of the file that a URL's content gets."""


async def load_dockerfile(options: FrontendOptions, services: FrontendServices) -> DockerfileSource:
    """Load a Dockerfile, its ignore patterns and the build context.

    Raises:
        NotFound: There is no such Dockerfile.
        InvalidInput: The Dockerfile or the ignore file is too large, or the context's URL is malformed.
    """
    context, filename = await _remote_context(options, services)
    is_remote = context is not None
    if context is None:
        context = await _input("context", services)
    if context is not None and options.context_subdirectory:
        context = _scoped(context, options.context_subdirectory)
    origin = context if is_remote and not options.is_dockerfile_local else None
    if origin is None and not options.is_dockerfile_local:
        origin = await _input(options.dockerfile_name, services)
    names = [filename]
    if posixpath.basename(filename) == DEFAULT_DOCKERFILE:
        names.append(posixpath.join(posixpath.dirname(filename), DEFAULT_DOCKERFILE.lower()))
    if origin is None:
        origin = _local_dockerfile(options, names)
    definition = marshal(origin)
    text = await _first_file(services, definition, names)
    if text is None:
        raise NotFound(
            f"failed to read dockerfile: open {filename[:200]}: no such file or directory",
            hint="-f names the Dockerfile", reference="no-such-dockerfile",
        )  # fmt: skip
    patterns: list[str] = []
    if context is None:
        content = await services.read_file(definition, f"{filename}{IGNORE_FILE}", max_bytes=MAX_IGNORE_BYTES)
        if content is None:
            content = await _context_ignore(options, services)
        patterns = read_patterns(content or b"")
    return DockerfileSource(
        text=text, filename=filename, definition=definition, ignore_patterns=tuple(patterns), context=context
    )


async def _remote_context(options: FrontendOptions, services: FrontendServices) -> tuple[VertexOutput | None, str]:
    """Return the context behind a URL, or None, and the Dockerfile's name in it."""
    url = options.context_url
    if not url:
        return None, options.filename
    repository = parse_git_reference(url)
    if repository is not None:
        keep = options.keep_git_directory or bool(repository.keep_git_directory)
        metadata = describe(f"[internal] load git source {url}")
        output = git_output(repository, keep_git_directory=keep, checksum=repository.checksum, metadata=metadata)
        return output, options.filename
    if not url.startswith(("http://", "https://")):
        return None, options.filename
    download = http_source(url, filename=_REMOTE_NAME, metadata=describe("[internal] load remote build context")).output
    start = await services.read_file(marshal(download), _REMOTE_NAME, max_bytes=ARCHIVE_PROBE_BYTES, start_only=True)
    if not is_archive_start(start or b""):
        return download, _REMOTE_NAME
    files = FileOpBuilder(None)
    files.copy(
        download,
        ops_pb2.FileActionCopy(
            src=f"/{_REMOTE_NAME}", dest="/", mode=-1, timestamp=-1, attemptUnpackDockerCompatibility=True
        ),
    )
    return files.build(metadata=describe("[internal] unpack remote build context")).output, options.filename


def is_archive_start(data: bytes) -> bool:
    """Return whether data is the start of a tar, compressed or not."""
    return data.startswith(_MAGIC) or data[_TAR_MAGIC_OFFSET : _TAR_MAGIC_OFFSET + 5] == b"ustar"


async def _input(name: str, services: FrontendServices) -> VertexOutput | None:
    sent = await services.input_definition(name)
    return unmarshal(sent[0]) if sent is not None else None


def _scoped(context: VertexOutput, directory: str) -> VertexOutput:
    files = FileOpBuilder(None)
    files.copy(
        context,
        ops_pb2.FileActionCopy(
            src=source_path(directory), dest="/", mode=-1, timestamp=-1, dirCopyContents=True, createDestPath=True
        ),
    )
    return files.build(metadata=describe("[internal] select directory of build context")).output


def _local_dockerfile(options: FrontendOptions, names: list[str]) -> VertexOutput:
    name = options.dockerfile_name
    return local_source(
        name,
        LocalOptions(
            session=options.session_ids.get(name, options.session), shared_key=name, compare_metadata=False,
            follow=(names[0], f"{names[0]}{IGNORE_FILE}", *names[1:]),
        ),
        metadata=describe(f"[internal] load build definition from {options.filename}"),
    ).output  # fmt: skip


async def _first_file(services: FrontendServices, definition: ops_pb2.Definition, names: list[str]) -> bytes | None:
    for name in names:
        content = await services.read_file(definition, name, max_bytes=MAX_DOCKERFILE_BYTES)
        if content is not None:
            return content
    return None


async def _context_ignore(options: FrontendOptions, services: FrontendServices) -> bytes | None:
    name = options.context_name
    source = local_source(
        name,
        LocalOptions(
            session=options.session_ids.get(name, options.session), follow=(IGNORE_FILE,),
            shared_key=f"{name}-{IGNORE_FILE}", compare_metadata=False,
        ),
        metadata=describe(f"[internal] load {IGNORE_FILE}"),
    )  # fmt: skip
    return await services.read_file(marshal(source.output), IGNORE_FILE, max_bytes=MAX_IGNORE_BYTES)
