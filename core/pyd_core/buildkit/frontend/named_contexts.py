"""Named contexts: images, directories, repositories and URLs that replace stages and base images."""

from __future__ import annotations

import re

import msgspec

from pyd_core.buildkit.frontend.git_sources import git_output
from pyd_core.buildkit.frontend.image import BuiltImageConfig, read_image
from pyd_core.buildkit.frontend.options import FrontendOptions
from pyd_core.buildkit.frontend.services import FrontendServices
from pyd_core.buildkit.llb.definition import marshal, unmarshal
from pyd_core.buildkit.llb.sources import LocalOptions, http_source, image_source, local_source, oci_layout_source
from pyd_core.buildkit.llb.vertex import GraphVertex, VertexOutput, describe, platform_message
from pyd_core.dockerfile.git_references import parse_git_reference
from pyd_core.dockerfile.ignore import IGNORE_FILE, read_patterns
from pyd_core.dockerfile.platforms import ImagePlatform
from pyd_core.errors import InvalidInput
from pyd_core.model import reference as references

MAX_IGNORE_BYTES = 1 << 20
_LAYOUT = re.compile(r"(?P<store>[^@:]{1,255})(?::[^@:/]{1,128})?@(?P<digest>sha256:[0-9a-f]{64})")


class LoadedContext(msgspec.Struct):
    """Loaded context."""

    output: VertexOutput | None
    image: BuiltImageConfig | None = None
    config: bytes = b""
    local: GraphVertex | None = None
    """The local source, whose paths to transfer are set later."""
    local_options: LocalOptions | None = None


def canonical_name(name: str) -> str:
    """Return a context's name as clients write it: an image's short form without `latest`, or the name itself."""
    try:
        return str(references.parse(name)).removesuffix(":latest")
    except InvalidInput:
        return name


def find_context(options: FrontendOptions, name: str, platform: ImagePlatform) -> str | None:
    """Return the key of the context that replaces a stage or image, or None.

    Args:
        options: The build's options.
        name: Name of the stage or image.
        platform: The platform that it is needed for; contexts may be for one only.
    """
    if name.lower() in {"scratch", "context"}:
        return None
    short = canonical_name(name)
    for key in (f"{short}::{platform}", short):
        if key in options.named_contexts:
            return key
    return None


async def load_context(
    key: str, options: FrontendOptions, services: FrontendServices, platform: ImagePlatform
) -> LoadedContext:
    """Load a named context.

    Raises:
        InvalidInput: The context is malformed, or of an unknown kind.
        NotFound: There is no such image.
    """
    value = options.named_contexts[key]
    kind, colon, rest = value.partition(":")
    if not colon:
        raise InvalidInput(f"invalid context specifier {value[:120]} for {key[:80]}")
    if kind == "docker-image":
        return await _load_image(key, rest.removeprefix("//"), options, services, platform)
    if kind == "oci-layout":
        return await _load_layout(key, rest.removeprefix("//"), options, services, platform)
    if kind == "local":
        return await _load_local(key, rest, options, services)
    if kind == "input":
        return await _load_input(key, rest, services)
    repository = parse_git_reference(value)
    if repository is not None:
        name = f"[context {key}] load git source {value}"
        return LoadedContext(
            git_output(
                repository, keep_git_directory=bool(repository.keep_git_directory), checksum=repository.checksum,
                metadata=describe(name),
            )
        )  # fmt: skip
    if kind in {"http", "https"}:
        return LoadedContext(
            http_source(value, filename="context", metadata=describe(f"[context {key}] {value}")).output
        )
    raise InvalidInput(
        f"unsupported context source {kind[:60]} for {key[:80]}",
        hint="a directory, docker-image://, oci-layout://, or a git or HTTP URL",
    )


async def _load_image(
    key: str, name: str, options: FrontendOptions, services: FrontendServices, platform: ImagePlatform
) -> LoadedContext:
    if name == "scratch":
        return LoadedContext(None)
    parsed = references.parse(name)
    full = full_reference(parsed)
    mode = "" if options.resolve_mode == "default" else options.resolve_mode
    digest, config = await services.image_config(
        full, platform=platform_message(platform), resolve_mode=mode,
        log_name=f"[context {key}] load metadata for {name}",
    )  # fmt: skip
    vertex = image_source(
        pinned(full, digest), platform=platform, resolve_mode=mode, metadata=describe(f"[context {key}] {name}")
    )
    return LoadedContext(vertex.output, read_image(config, name), config)


async def _load_layout(
    key: str, text: str, options: FrontendOptions, services: FrontendServices, platform: ImagePlatform
) -> LoadedContext:
    match = _LAYOUT.fullmatch(text)
    if match is None:
        raise InvalidInput(f'oci-layout reference "{text[:120]}" has no digest', hint="NAME=oci-layout://DIR@sha256:…")
    full = f"docker.io/library/{re.sub('[^a-z0-9]+', '-', key.lower()).strip('-') or 'layout'}@{match['digest']}"
    digest, config = await services.layout_config(
        full, platform=platform_message(platform), session=options.session, store=match["store"],
        log_name=f"[context {key}] load metadata for {full}",
    )  # fmt: skip
    vertex = oci_layout_source(
        pinned(full, digest), platform=platform, session=options.session, store=match["store"],
        metadata=describe(f"[context {key}] OCI load from client"),
    )  # fmt: skip
    return LoadedContext(vertex.output, read_image(config, key), config)


async def _load_local(key: str, name: str, options: FrontendOptions, services: FrontendServices) -> LoadedContext:
    session = options.session_ids.get(name, options.session)
    ignore = local_source(
        name,
        LocalOptions(
            session=session, follow=(IGNORE_FILE,), shared_key=f"context:{key}-{IGNORE_FILE}", compare_metadata=False
        ),
        metadata=describe(f"[context {key}] load {IGNORE_FILE}"),
    )  # fmt: skip
    content = await services.read_file(marshal(ignore.output), IGNORE_FILE, max_bytes=MAX_IGNORE_BYTES)
    local_options = LocalOptions(
        session=session, shared_key=f"context:{key}-{options.shared_keys.get(key, '')}",
        exclude=tuple(read_patterns(content or b"")),
    )  # fmt: skip
    vertex = local_source(name, local_options, metadata=describe(f"[context {key}] load from client"))
    return LoadedContext(vertex.output, local=vertex, local_options=local_options)


async def _load_input(key: str, name: str, services: FrontendServices) -> LoadedContext:
    loaded = await services.input_definition(name)
    if loaded is None:
        raise InvalidInput(f"invalid input {name[:80]} for {key[:80]}")
    definition, config = loaded
    return LoadedContext(unmarshal(definition), read_image(config, key) if config else None, config)


def full_reference(reference: references.Reference) -> str:
    """Return a reference with registry, and tag or digest: `docker.io/library/debian:latest`."""
    tag = f":{reference.tag}" if reference.tag else ""
    digest = f"@{reference.digest}" if reference.digest else ""
    return f"{reference.repository}{tag}{digest}"


def pinned(reference: str, digest: str) -> str:
    """Return a reference with a digest in addition to its tag."""
    return reference if not digest else f"{reference.partition('@')[0]}@{digest}"
