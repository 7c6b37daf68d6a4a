"""`/containers`: list, inspect, and changes of state."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec

from pyd_core.daemon.api import creation, versions
from pyd_core.daemon.api.bodies import convert
from pyd_core.daemon.api.encoding import full, json
from pyd_core.daemon.api.http import EMPTY, NOT_MODIFIED, CancelOnDisconnect, HandlerResult, HttpRequest, Response
from pyd_core.daemon.api.routes import route
from pyd_core.daemon.containers import listing, options, signals
from pyd_core.errors import InvalidInput, PydError
from pyd_core.model.container import Created, Pruned
from pyd_core.model.creation import CreateBody

if TYPE_CHECKING:
    from pyd_core.daemon.engine import Engine


@route("GET", "/containers/json")
async def list_(engine: Engine, request: HttpRequest) -> Response:
    """List containers, newest first."""
    limit = request.number("limit")
    containers = listing.choose(
        engine.containers, engine.images, request.filters(), all_=request.flag("all") or limit is not None
    )
    if limit is not None and limit > 0:
        containers = containers[:limit]
    return json(listing.lines(engine.view, engine.images, containers, size=request.flag("size")))


@route("POST", "/containers/create")
async def create(engine: Engine, request: HttpRequest) -> Response:
    """Create a container."""
    plain = await request.plain(CreateBody)
    creation.check_config(plain)
    creation.gather_host_config(plain)
    creation.listed(plain)
    versions.as_of(plain, request.version)
    body = convert(plain, CreateBody)
    platform = request.query.get("platform", "")
    container = engine.creator.create(
        body, request.query.get("name", ""), platform=platform, sent_empty=creation.sent_empty(plain)
    )
    try:
        await engine.populator.populate_at_creation(container)
    except Exception:
        await engine.lifecycle.remove(container, force=True, volumes=True)
        raise
    warnings = options.warnings(body, request.version)
    return json(Created(id=container.id, warnings=warnings), status=201)


@route("GET", "/containers/{id}/json")
async def inspect(engine: Engine, request: HttpRequest) -> Response:
    """Return a container's full inspect data."""
    container = engine.containers.find(request.params["id"])
    details = engine.view.inspect(container)
    if request.flag("size"):
        written, whole = listing.sizes(engine.images.layers, container)
        details = msgspec.structs.replace(details, size_rw=written, size_root_fs=whole)
    shown = full(details)
    for name in container.record.sent_empty:
        if shown["HostConfig"].get(name, 0) is None:
            shown["HostConfig"][name] = {} if name == "PortBindings" else []
    return json(shown)


@route("POST", "/containers/{id}/start")
async def start(engine: Engine, request: HttpRequest) -> Response:
    """Start a container."""
    container = engine.containers.find(request.params["id"])
    return EMPTY if await engine.lifecycle.start(container) else NOT_MODIFIED


@route("POST", "/containers/{id}/stop")
async def stop(engine: Engine, request: HttpRequest) -> Response:
    """Stop a container."""
    name, grace = request.query.get("signal", ""), request.number("t")
    container = engine.containers.find(request.params["id"])
    _check_signal(request, "cannot stop container: {}")
    return EMPTY if await engine.lifecycle.stop(container, name=name, grace=grace) else NOT_MODIFIED


@route("POST", "/containers/{id}/restart")
async def restart(engine: Engine, request: HttpRequest) -> Response:
    """Stop and start a container."""
    name, grace = request.query.get("signal", ""), request.number("t")
    container = engine.containers.find(request.params["id"])
    _check_signal(request, "Cannot restart container {}")
    await engine.lifecycle.restart(container, name=name, grace=grace)
    return EMPTY


@route("POST", "/containers/{id}/kill")
async def kill(engine: Engine, request: HttpRequest) -> Response:
    """Send a signal; a container that waits for its next start stays down then."""
    container = engine.containers.find(request.params["id"])
    _check_signal(request, "cannot kill container: {}")
    if container.record.status == "restarting":
        await engine.lifecycle.stop(container)
    else:
        await engine.lifecycle.kill(container, request.query.get("signal", ""))
    return EMPTY


def _check_signal(request: HttpRequest, failure: str) -> None:
    """Refuse an unknown signal, in the words of the request.

    Raises:
        InvalidInput: There is no such signal.
    """
    name = request.query.get("signal", "")
    try:
        if name:
            signals.number(name)
    except InvalidInput as error:
        raise InvalidInput(f"{failure.format(request.params['id'][:128])}: {error.message}") from None


@route("POST", "/containers/{id}/pause")
async def pause(engine: Engine, request: HttpRequest) -> Response:
    """Freeze a container."""
    await engine.freezer.pause(engine.containers.find(request.params["id"]))
    return EMPTY


@route("POST", "/containers/{id}/unpause")
async def unpause(engine: Engine, request: HttpRequest) -> Response:
    """Let a paused container continue."""
    await engine.freezer.unpause(engine.containers.find(request.params["id"]))
    return EMPTY


@route("POST", "/containers/{id}/rename")
async def rename(engine: Engine, request: HttpRequest) -> Response:
    """Rename a container."""
    name = request.query.get("name", "")
    if not name:
        raise InvalidInput("Neither old nor new names may be empty")
    container = engine.containers.find(request.params["id"])
    engine.containers.rename(container, name)
    await engine.endpoints.rename(container)
    return EMPTY


@route("DELETE", "/containers/{id}")
async def remove(engine: Engine, request: HttpRequest) -> Response:
    """Remove a container."""
    if request.flag("link"):
        engine.endpoints.unlink(request.params["id"])
        return EMPTY
    container = engine.containers.find(request.params["id"])
    await engine.lifecycle.remove(container, force=request.flag("force"), volumes=request.flag("v"))
    return EMPTY


@route("POST", "/containers/prune")
async def prune(engine: Engine, request: HttpRequest) -> Response:
    """Remove all containers that don't run, for as long as the client waits."""
    return CancelOnDisconnect(work=_prune(engine, request))


async def _prune(engine: Engine, request: HttpRequest) -> HandlerResult:
    removed: list[str] = []
    freed = 0
    for container in listing.prunable(engine.containers, request.filters()):
        size, _ = await asyncio.to_thread(listing.sizes, engine.images.layers, container)
        try:
            await engine.lifecycle.remove(container)
        except PydError:
            continue  # started meanwhile
        removed.append(container.id)
        freed += size
    engine.events.emit("container", "prune", "", {"reclaimed": str(freed)})
    return json(Pruned(containers_deleted=removed, space_reclaimed=freed))
