"""`/build?version=2`: a build by BuildKit for clients that don't speak its protocol, and `/build/cancel`.

The stream has BuildKit's progress as records with the id `moby.buildkit.trace`, and the image as `moby.image.id`.
"""

from __future__ import annotations

import asyncio
import base64
import csv
import io
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, aclosing
from typing import TYPE_CHECKING, Any

import msgspec

from pyd_core.daemon.api.encoding import line
from pyd_core.daemon.api.http import HandlerResult, HttpRequest, Response, StreamingResponse
from pyd_core.daemon.api.routes import route
from pyd_core.daemon.build.request import ClassicBuildRequest, Record, failure_record
from pyd_core.daemon.images import load as loading
from pyd_core.daemon.images import platforms
from pyd_core.errors import EngineError, InvalidInput, PydError, Unsupported
from pyd_core.gosyntax.booleans import BOOLS
from pyd_core.tasks import TaskOwner

if TYPE_CHECKING:
    from pyd_core.daemon.build.build import Build
    from pyd_core.daemon.build.named_builds import NamedBuild
    from pyd_core.daemon.build.session.request_body import RequestBody
    from pyd_core.daemon.build.solve_request import SolveRequest
    from pyd_core.daemon.engine import Engine

CLIENT_SESSION = "client-session"
"""The context that stands for directories of the client's session."""
UPLOAD_REQUEST = "upload-request"
"""The context that another request brings, whose `buildid` has this prefix."""
TRACE_ID = "moby.buildkit.trace"
IMAGE_ID = "moby.image.id"
IMAGE_DIGEST = "containerimage.digest"
IMAGE_EXPORTER = "moby"
CACHE_ONLY = "cacheonly"


class RequestedExporter(msgspec.Struct, frozen=True):
    """An exporter in `outputs`."""

    kind: str = msgspec.field(default="", name="Type")
    attributes: dict[str, str] | None = msgspec.field(default=None, name="Attrs")


@route("POST", "/build/cancel")
async def cancel(engine: Engine, request: HttpRequest) -> Response:
    """Cancel a build by the name that its client gave it."""
    build_id = request.query.get("id", "")
    if not build_id:
        raise InvalidInput("build ID not provided")
    engine.named_builds.cancel(build_id)
    return HandlerResult()


async def start_build(
    engine: Engine, request: HttpRequest, options: ClassicBuildRequest
) -> StreamingResponse | HandlerResult:
    """Build with BuildKit; what goes wrong before the first record of progress is reported by the status."""
    outputs = _outputs(request)
    build_id = request.query.get("buildid", "")
    async with AsyncExitStack() as stack:
        named = stack.enter_context(engine.named_builds.opened(build_id)) if build_id else None
        if named is not None and build_id.startswith(f"{UPLOAD_REQUEST}:"):
            target = stack.enter_context(engine.named_builds.opened(build_id.removeprefix(f"{UPLOAD_REQUEST}:")))
            return await _upload(engine, request, target)
        remote = request.query.get("remote", "")
        body: RequestBody | None = None
        if remote == UPLOAD_REQUEST and named is not None:
            body = await _body(named.await_upload(), stack)
        elif not remote:
            body = await _body(loading.spool(engine.images, request.chunks()), stack)
        attributes = _attributes(request, options, await engine.networks.default_gateway())
        if body is not None:
            attributes["context"] = f"http://buildkit-session/{body.digest}"
        elif remote != CLIENT_SESSION:
            attributes["context"] = remote
        build = await engine.builds.runner.prepare(_solve_request(request, options, attributes, outputs), body)
        records = _records(engine, build, named, quiet=request.flag("q"))
        stack.push_async_callback(records.aclose)
        first = await anext(records, None)
        kept = stack.pop_all()
    return StreamingResponse(chunks=_lines(first, records, kept))


async def _upload(engine: Engine, request: HttpRequest, target: NamedBuild) -> HandlerResult:
    await target.await_build()
    try:
        target.give(await loading.spool(engine.images, request.chunks()))
    finally:
        target.give_up()
    return HandlerResult()


async def _body(received: Any, stack: AsyncExitStack) -> RequestBody:
    from pyd_core.daemon.build.session.request_body import received_body  # noqa: PLC0415 - loads Protocol Buffers

    file = await received
    stack.callback(file.unlink, missing_ok=True)
    return await asyncio.to_thread(received_body, file)


async def _records(
    engine: Engine, build: Build, named: NamedBuild | None, *, quiet: bool
) -> AsyncGenerator[Record, None]:
    """Run a build and yield its records.

    Raises:
        EngineError: It failed before it made progress.
    """
    from grpclib.exceptions import GRPCError  # noqa: PLC0415 - builds only

    async with TaskOwner(on_error=lambda _: None) as owner:  # its error is in the stream
        work = owner.start(engine.builds.runner.execute(build), name=f"build {build.request.ref}")
        work.add_done_callback(lambda _: build.progress.end())
        if named is not None:
            named.work = work
        has_progress = False
        if quiet:
            await asyncio.wait({work})
        if not quiet or work.cancelled() or work.exception() is not None:
            async with aclosing(build.progress.follow()) as messages:
                async for status in messages:
                    has_progress = True
                    yield {"id": TRACE_ID, "aux": base64.b64encode(status.SerializeToString()).decode()}
        await asyncio.wait({work})
        message = ""
        if work.cancelled():
            message = "context canceled"
        elif (error := work.exception()) is not None:
            message = (error.message if isinstance(error, GRPCError | PydError) else "") or str(error)
        if message and not has_progress:
            raise EngineError(message)
        if message:
            yield failure_record(message)
        elif image := work.result().get(IMAGE_DIGEST, ""):
            yield {"stream": f"{image}\n"} if quiet else {"id": IMAGE_ID, "aux": {"ID": image}}


async def _lines(
    first: Record | None, records: AsyncGenerator[Record, None], kept: AsyncExitStack
) -> AsyncIterator[bytes]:
    async with kept:
        if first is not None:
            yield line(first)
        async for record in records:
            yield line(record)


def _outputs(request: HttpRequest) -> list[RequestedExporter]:
    text = request.query.get("outputs", "")
    if not text:
        return []
    try:
        outputs = msgspec.json.decode(text.encode(), type=list[RequestedExporter] | None) or []
    except (msgspec.DecodeError, RecursionError) as error:
        raise InvalidInput(f"invalid outputs specified: {error}") from error
    if len(outputs) > 1:
        raise Unsupported("multiple outputs not supported", reference="not-served")
    return outputs


def _attributes(request: HttpRequest, options: ClassicBuildRequest, gateway: str) -> dict[str, str]:
    """Return the options as the front end's attributes."""
    from pyd_core.buildkit.client.values import format_extra_hosts  # noqa: PLC0415 - builds only

    host, filename = options.host, request.query.get("dockerfile", "")
    attributes = {f"build-arg:{name}": value for name, value in options.arguments.items() if value is not None}
    attributes |= {f"label:{name}": value for name, value in options.labels.items()}
    attributes["image-resolve-mode"] = "pull" if options.pull else "default"
    named = {
        "target": options.target,
        "filename": filename if filename != "." else "",
        "cache-from": ",".join(options.cache_from or []),
        "platform": options.platform,
        "add-hosts": format_extra_hosts(host.extra_hosts, gateway),
        "shm-size": str(host.shm_size or ""),
        "ulimit": _csv(f"{limit.name}={limit.soft}:{limit.hard}" for limit in host.ulimits),
        "cgroup-parent": host.cgroup_parent,
    }
    if options.platform:
        platforms.parse_platform(options.platform)
    match host.network_mode:
        case "host" | "none":
            named["force-network-mode"] = host.network_mode
        case "" | "default":
            pass
        case mode:
            raise InvalidInput(f'network mode "{mode[:100]}" not supported by buildkit')
    attributes |= {name: value for name, value in named.items() if value}
    if not options.use_cache:
        attributes["no-cache"] = ""
    return attributes


def _csv(fields: Iterable[str]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow(fields)
    return out.getvalue()


def _solve_request(
    request: HttpRequest, options: ClassicBuildRequest, attributes: Mapping[str, str], outputs: list[RequestedExporter]
) -> SolveRequest:
    from pyd_core.buildkit.proto import control_pb2  # noqa: PLC0415 - builds only
    from pyd_core.daemon.build.solve_request import SolveRequest  # noqa: PLC0415 - loads Protocol Buffers

    output = outputs[0] if outputs else RequestedExporter(IMAGE_EXPORTER)
    settings = dict(output.attributes or {})
    if output.kind in {"image", IMAGE_EXPORTER} and options.tags:
        settings["name"] = ",".join(dict.fromkeys(str(reference) for reference in options.tags))
    exporters = [] if output.kind == CACHE_ONLY else [control_pb2.Exporter(Type=output.kind, Attrs=settings)]
    is_inline = BOOLS.get(options.arguments.get("BUILDKIT_INLINE_CACHE") or "", False)
    return SolveRequest(
        ref=secrets.token_hex(12),
        session_id=request.query.get("session", ""),
        frontend="dockerfile.v0",
        attributes=attributes,
        exporters=tuple(exporters),
        cache_exports=(control_pb2.CacheOptionsEntry(Type="inline"),) if is_inline else (),
        entitlements=frozenset({"network.host"} if options.host.network_mode == "host" else ()),
    )
