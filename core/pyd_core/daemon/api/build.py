"""`/build`: the classic builder, and BuildKit for clients that ask for version 2."""

from __future__ import annotations

import base64
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, aclosing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import msgspec

from pyd_core.daemon.api import buildkit_build, registries
from pyd_core.daemon.api.encoding import line
from pyd_core.daemon.api.failures import describe
from pyd_core.daemon.api.http import CancelOnDisconnect, HandlerResult, HttpRequest, Response, StreamingResponse
from pyd_core.daemon.api.images import join_reference
from pyd_core.daemon.api.routes import route
from pyd_core.daemon.build.context import DOCKERFILE, read_dockerfile
from pyd_core.daemon.build.remote import ResolvedAddress
from pyd_core.daemon.build.repository import Repository
from pyd_core.daemon.build.request import ClassicBuildRequest, Record, failure_record
from pyd_core.daemon.images import platforms
from pyd_core.daemon.images.registry import RegistryLogin
from pyd_core.dockerfile.parser import parse_dockerfile
from pyd_core.errors import Conflict, InvalidInput, PydError, Unsupported
from pyd_core.model.host_config import HostConfig
from pyd_core.model.reference import DEFAULT_DOMAIN, parse
from pyd_core.model.resources import Ulimit

if TYPE_CHECKING:
    from pyd_core.daemon.build.classic.bases import Fetch
    from pyd_core.daemon.build.classic.builder import ClassicBuilder
    from pyd_core.daemon.engine import Engine

T = TypeVar("T")
CLASSIC_VERSION, BUILDKIT_VERSION = "1", "2"
HUB_KEY = "https://index.docker.io/v1/"
"""What clients call Docker Hub in `X-Registry-Config`."""


@route("POST", "/build")
async def build(engine: Engine, request: HttpRequest) -> Response:
    """Build an image; an error in the context or Dockerfile is reported by the status, later ones in the stream."""
    return CancelOnDisconnect(work=_start_build(engine, request))


async def _start_build(engine: Engine, request: HttpRequest) -> StreamingResponse | HandlerResult:
    if _version(request) == BUILDKIT_VERSION:
        return await buildkit_build.start_build(engine, request, _request(request, Path()))
    _refuse(request)
    async with AsyncExitStack() as stack:
        source, is_lone_dockerfile = _remote_source(request), False
        if source is None:
            context = await stack.enter_async_context(engine.build_contexts.unpacked(request.chunks()))
        elif isinstance(source, Repository):
            context = await stack.enter_async_context(engine.build_contexts.cloned(source))
        else:
            context, is_lone_dockerfile = await stack.enter_async_context(engine.build_contexts.fetched(source))
        build_request = _request(request, context)
        if is_lone_dockerfile:
            build_request = msgspec.structs.replace(build_request, dockerfile=DOCKERFILE)
        dockerfile = read_dockerfile(context, build_request.dockerfile)
        if not dockerfile:
            raise InvalidInput(f"the Dockerfile ({build_request.dockerfile[:200]}) cannot be empty")
        builder = _builder(engine, request, build_request, dockerfile)
        kept = stack.pop_all()
    return StreamingResponse(chunks=_stream_records(builder, kept, quiet=request.flag("q")))


def _builder(
    engine: Engine, request: HttpRequest, build_request: ClassicBuildRequest, dockerfile: bytes
) -> ClassicBuilder:
    from pyd_core.daemon.build.classic import builder  # noqa: PLC0415 - loads Protocol Buffers

    settings = builder.settings_of(build_request)
    mode, _, name = build_request.host.network_mode.partition(":")
    if mode == "container":
        joined = engine.containers.find(name)
        if joined.record.main is None:
            raise Conflict(f"cannot join network of a non running container: {joined.id}")
        settings = replace(settings, namespace=f"/proc/{joined.record.main.pid}/ns/net")
    elif settings.network:
        engine.networks.find(settings.network)
    return builder.ClassicBuilder(
        engine.classic_builds,
        build_request,
        parse_dockerfile(dockerfile),
        fetch=_fetch(engine, request),
        settings=settings,
    )


def _version(request: HttpRequest) -> str:
    version = request.query.get("version") or CLASSIC_VERSION
    if version not in {CLASSIC_VERSION, BUILDKIT_VERSION}:
        raise InvalidInput(f'invalid version "{version[:60]}"')
    if request.flag("squash"):
        raise InvalidInput("squash is only supported with experimental mode", reference="not-served")
    return version


def _refuse(request: HttpRequest) -> None:
    if request.query.get("remote") == buildkit_build.CLIENT_SESSION:
        raise InvalidInput(
            "experimental session with v1 builder is no longer supported, use builder version v2 (BuildKit) instead",
            reference="not-served",
        )
    if request.query.get("outputs"):
        raise Unsupported("outputs are not served by this engine", reference="not-served")


def _remote_source(request: HttpRequest) -> Repository | ResolvedAddress | None:
    """Return the source of the context; None where the client sends the context itself."""
    text = request.query.get("remote", "")
    source = (Repository.parse(text) or ResolvedAddress.parse(text)) if text else None
    if text and source is None:
        raise InvalidInput(f"remote: {text[:100]!r} is no address")
    return source


async def _stream_records(builder: ClassicBuilder, stack: AsyncExitStack, *, quiet: bool) -> AsyncIterator[bytes]:
    image_line = ""
    last: Record | None = None  # sent once the build's files are removed
    async with stack, aclosing(builder.run()) as records:
        try:
            async for record in records:
                if "error" in record:
                    last = record
                elif not quiet:
                    yield line(record)
                elif "aux" in record:  # one for each stage: the last is the image of the build
                    image_line = f"{record['aux']['ID']}\n"
        except (PydError, OSError) as error:
            last = failure_record(describe(error))
    if last is None and image_line:
        yield line({"stream": image_line})
    if last is not None:
        yield line(last)


def _request(request: HttpRequest, context: Path) -> ClassicBuildRequest:
    return ClassicBuildRequest(
        context=context,
        dockerfile=request.query.get("dockerfile") or "Dockerfile",
        tags=[reference for text in request.many.get("t", []) if (reference := join_reference(text, ""))],
        arguments=_structured(request, "buildargs", dict[str, str | None]) or {},
        labels=_structured(request, "labels", dict[str, str]) or {},
        target=request.query.get("target", ""),
        use_cache=not request.flag("nocache"),
        cache_from=_structured(request, "cachefrom", list[str]) or None,
        keeps_successful=not request.flag("rm", default=True) and not request.flag("forcerm"),
        keeps_failed=not request.flag("forcerm"),
        pull=request.flag("pull"),
        platform=request.query.get("platform", ""),
        host=_host(request),
    )


def _host(request: HttpRequest) -> HostConfig:
    def number(name: str) -> int:
        return request.number(name) or 0

    return HostConfig(
        memory=number("memory"),
        memory_swap=number("memswap"),
        cpu_shares=number("cpushares"),
        cpu_period=number("cpuperiod"),
        cpu_quota=number("cpuquota"),
        cpuset_cpus=request.query.get("cpusetcpus", ""),
        cpuset_mems=request.query.get("cpusetmems", ""),
        cgroup_parent=request.query.get("cgroupparent", ""),
        shm_size=number("shmsize"),
        ulimits=_structured(request, "ulimits", list[Ulimit]) or [],
        network_mode=request.query.get("networkmode", ""),
        extra_hosts=[host for text in request.many.get("extrahosts", []) for host in text.split(",") if host],
    )


def _structured(request: HttpRequest, name: str, kind: type[T]) -> T | None:
    text = request.query.get(name, "")
    if not text:
        return None
    try:
        return msgspec.json.decode(text.encode(), type=kind | None)
    except (msgspec.DecodeError, RecursionError) as error:
        raise InvalidInput(f"{name}: {error}") from error


def _fetch(engine: Engine, request: HttpRequest) -> Fetch:
    logins = _logins(request.headers.get("x-registry-config", ""))
    if default_platform := request.query.get("platform", ""):
        platforms.parse_platform(default_platform)

    async def fetch(name: str, platform: str) -> AsyncGenerator[Record, None]:
        reference = parse(name)
        known = HUB_KEY if reference.domain == DEFAULT_DOMAIN else reference.domain
        async with aclosing(
            await registries.start_pull(engine, reference, logins.get(known, RegistryLogin()), platform)
        ) as records:
            async for record in records:
                yield record

    return fetch


def _logins(header: str) -> dict[str, RegistryLogin]:
    """Read `X-Registry-Config`, base64url of a JSON map; one that can't be read counts as none."""
    try:
        text = base64.urlsafe_b64decode(header + "=" * (-len(header) % 4))
        return msgspec.json.decode(text, type=dict[str, RegistryLogin])
    except (ValueError, msgspec.DecodeError):
        return {}
