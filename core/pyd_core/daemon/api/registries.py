"""Registries: `/images/{name}/push`, `/auth`, `/distribution`, and the pull of `/images/create`."""

from __future__ import annotations

import json as jsonlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, TypeVar

from pyd_core.daemon.api.encoding import json, line
from pyd_core.daemon.api.failures import describe
from pyd_core.daemon.api.http import CancelOnDisconnect, HandlerResult, HttpRequest, Response, StreamingResponse
from pyd_core.daemon.api.routes import route
from pyd_core.daemon.build.request import Record, failure_record
from pyd_core.daemon.images import platforms
from pyd_core.daemon.images.progress import ProgressEmitter
from pyd_core.daemon.images.pull import Pull
from pyd_core.daemon.images.push import push as push_image
from pyd_core.daemon.images.registry import Registry, RegistryLogin, decode_credentials
from pyd_core.errors import InvalidInput, NotFound, PydError
from pyd_core.model.image import SearchResult
from pyd_core.model.reference import DEFAULT_DOMAIN, Reference, parse

if TYPE_CHECKING:
    from pyd_core.daemon.engine import Engine

T = TypeVar("T")

DEFAULT_RESULTS, MAX_RESULTS = 25, 100
"""How many repositories a search lists by default and at most, as in Docker Engine."""


def _auth(request: HttpRequest) -> RegistryLogin:
    return decode_credentials(request.headers.get("x-registry-auth", ""))


async def _lines(records: AsyncGenerator[Record, None]) -> AsyncIterator[bytes]:
    async with aclosing(records):
        async for record in records:
            yield line(record)


async def pull(engine: Engine, request: HttpRequest) -> StreamingResponse:
    """Pull an image; an unknown image is reported by the status, a later failure in the stream."""
    name, tag = request.query.get("fromImage", ""), request.query.get("tag", "")
    if not name:
        raise InvalidInput("fromImage or fromSrc must be given")
    joined = f"{name}@{tag}" if tag.startswith("sha256:") else f"{name}:{tag}" if tag else name
    reference = parse(joined)
    auth, platform = _auth(request), request.query.get("platform", "")
    if platform:
        platforms.parse_platform(platform)
    if _tagged(joined):
        return StreamingResponse(chunks=_lines(await start_pull(engine, reference, auth, platform)))
    async with Registry(reference, auth, engine.registries, pull=True) as registry:
        tags = await _first(registry, registry.tags)
    tagged = [Reference(reference.domain, reference.path, tag) for tag in tags]
    return StreamingResponse(chunks=_lines(_pull_all(engine, tagged, auth, platform)))


def _tagged(name: str) -> bool:
    """Return whether a name selects a single image of a repository; else it stands for all of them."""
    return "@" in name or ":" in name.rpartition("/")[2]


async def _pull_all(
    engine: Engine, references: Sequence[Reference], auth: RegistryLogin, platform: str
) -> AsyncGenerator[Record, None]:
    """Pull images one after the other; a failure is reported last and stops the pull."""
    for reference in references:
        try:
            progress = await start_pull(engine, reference, auth, platform)
        except PydError as error:
            yield failure_record(describe(error))
            return
        async with aclosing(progress) as records:
            async for record in records:
                yield record
                if "error" in record:
                    return


async def start_pull(
    engine: Engine, reference: Reference, auth: RegistryLogin, platform: str
) -> AsyncGenerator[Record, None]:
    """Find an image in its registry, and return the progress of pulling it.

    Raises:
        NotFound: The registry has no such image, or none for the platform.
    """
    registry = Registry(reference, auth, engine.registries, pull=True)
    work = Pull(engine.images, registry, platform=platform)
    try:
        await _first(registry, work.resolve)
    except BaseException:
        await registry.__aexit__(None, None, None)
        raise
    progress = ProgressEmitter()

    async def run() -> None:
        async with registry:
            pulled = engine.images.find(await work.run(progress))
        engine.image_events.emit("pull", pulled, key=str(reference), name=reference.familiar)

    return progress.records(run, describe)


async def _first(registry: Registry, ask: Callable[[], Awaitable[T]]) -> T:
    """Ask sources in order until one responds; raise the last one's error."""
    while True:
        try:
            return await ask()
        except PydError:
            if not await registry.next_host():
                raise


@route("POST", "/images/{name}/push")
async def push(engine: Engine, request: HttpRequest) -> Response:
    """Push an image, or all tags of a repository."""
    name, tag = request.params["name"], request.query.get("tag", "")
    joined = f"{name}:{tag}" if tag else name
    reference = parse(joined)
    if reference.digest:
        raise InvalidInput("cannot push a digest reference")
    try:
        names = [str(reference)] if _tagged(joined) else engine.images.tags(reference.repository)
        images = [(parse(name), engine.images.find(name)) for name in names]
    except NotFound:
        images = []
    if not images:
        raise NotFound(f"An image does not exist locally with the tag: {reference.familiar}")
    progress = ProgressEmitter()
    auth = _auth(request)

    async def run() -> None:
        for target, record in images:
            async with Registry(target, auth, engine.registries) as registry:
                await push_image(engine.images, record, registry, progress)
            engine.image_events.emit("push", record, key=str(target), name=target.familiar)

    return StreamingResponse(chunks=_lines(progress.records(run, describe)))


@route("POST", "/auth")
async def log_in(engine: Engine, request: HttpRequest) -> Response:
    """Check credentials."""
    given = await request.json(RegistryLogin)
    domain = given.serveraddress.removeprefix("https://").removeprefix("http://").partition("/")[0]
    if domain in {"", "index.docker.io"}:
        domain = DEFAULT_DOMAIN
    async with Registry(Reference(domain, "library"), given, engine.registries) as registry:
        await registry.check_login()
    return json({"Status": "Login Succeeded", "IdentityToken": ""})


@route("GET", "/images/search")
async def search(engine: Engine, request: HttpRequest) -> Response:
    """Search a registry's list of repositories, `HOST/TEXT`, or that of the mirrors; these have no stars."""
    return CancelOnDisconnect(work=_search(engine, request))


async def _search(engine: Engine, request: HttpRequest) -> HandlerResult:
    limit = request.number("limit") or DEFAULT_RESULTS
    if not 1 <= limit <= MAX_RESULTS:
        raise InvalidInput(f"limit {limit} is outside the range of [1, {MAX_RESULTS}]")
    passes = _passes_filters(request)
    domain, text = _term(request.query.get("term", ""))
    results: list[SearchResult] = []
    async with Registry(Reference(domain, "library"), _auth(request), engine.registries, pull=True) as registry:
        if domain == DEFAULT_DOMAIN and not engine.registries.mirrors:
            raise InvalidInput(
                "Docker Hub doesn't list its repositories, and no mirror of it is set",
                hint="search a registry: HOST:PORT/TEXT",
            )
        async with aclosing(registry.catalog()) as names:
            async for name in names:
                if passes and text in name.lower():
                    results.append(SearchResult(name=Reference(domain, name).familiar))
                if len(results) == limit:
                    break
    return json(results)


def _passes_filters(request: HttpRequest) -> bool:
    """Return whether unofficial repositories without stars pass the filters.

    Raises:
        InvalidInput: A filter is unknown, or its value makes no sense.
    """
    passes = True
    for name, values in request.filters().items():
        value = values[0].lower()
        if name in {"is-official", "is-automated"} and value in {"true", "false", "1", "0"}:
            passes = passes and value in {"false", "0"}
        elif name == "stars" and value.isdecimal():
            passes = passes and not value.strip("0")
        elif name in {"is-official", "is-automated", "stars"}:
            raise InvalidInput(f"invalid filter '{name}={value[:40]}'")
        else:
            raise InvalidInput(f"invalid filter '{name[:40]}'")
    return passes


def _term(text: str) -> tuple[str, str]:
    """Split the registry off the search term.

    Raises:
        InvalidInput: There is nothing, or it names no registry.
    """
    if not text:
        raise InvalidInput("term is missing: what is to be looked for")
    first, slash, rest = text.lower().partition("/")
    if not slash or not ({".", ":"} & set(first) or first == "localhost"):
        return DEFAULT_DOMAIN, text.lower()
    return parse(f"{first}/any").domain, rest


@route("GET", "/distribution/{name}/json")
async def distribution(engine: Engine, request: HttpRequest) -> Response:
    """Describe the image that a registry has under a name."""
    return CancelOnDisconnect(work=_distribution(engine, request))


async def _distribution(engine: Engine, request: HttpRequest) -> HandlerResult:
    reference = parse(request.params["name"])
    async with Registry(reference, _auth(request), engine.registries) as registry:
        media, body, digest = await registry.manifest(reference.digest or reference.tag)
    listed = jsonlib.loads(body).get("manifests", [])
    platforms = [entry["platform"] for entry in listed if entry.get("platform")]
    return json({"Descriptor": {"mediaType": media, "digest": digest, "size": len(body)}, "Platforms": platforms})
