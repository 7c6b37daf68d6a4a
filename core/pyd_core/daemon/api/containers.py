"""`/containers`: list, inspect, and what changes their state."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec

from pyd_core.daemon.api import creation, versions
from pyd_core.daemon.api.bodies import convert
from pyd_core.daemon.api.encoding import full, json
from pyd_core.daemon.api.http import EMPTY, NOT_MODIFIED, CancelOnDisconnect, HandlerResult, HttpRequest, Response
from pyd_core.daemon.api.routes import route
from pyd_core.daemon.containers import listing, options, population, signals, view
from pyd_core.errors import InvalidInput, PydError
from pyd_core.model.container import Created, Pruned
from pyd_core.model.creation import CreateBody

if TYPE_CHECKING:
    from pyd_core.daemon.engine import Engine


@route("GET", "/containers/json")
async def list_(daemon: Engine, request: HttpRequest) -> Response:
    """Lists them, newest first."""
    limit = request.number("limit")
    found = listing.choose(daemon, request.filters(), all_=request.flag("all") or limit is not None)
    if limit is not None and limit > 0:
        found = found[:limit]
    return json(listing.lines(daemon, found, size=request.flag("size")))


@route("POST", "/containers/create")
async def create(daemon: Engine, request: HttpRequest) -> Response:
    """Makes one."""
    plain = await request.plain(CreateBody)
    creation.check_config(plain)
    creation.gather_host_config(plain)
    creation.listed(plain)
    versions.as_of(plain, request.version)
    body = convert(plain, CreateBody)
    platform = request.query.get("platform", "")
    container = daemon.containers.create(
        body, request.query.get("name", ""), platform=platform, sent_empty=creation.sent_empty(plain)
    )
    await population.populate_at_creation(daemon, container)
    warnings = options.warnings(body, request.version)
    return json(Created(id=container.id, warnings=warnings), status=201)


@route("GET", "/containers/{id}/json")
async def inspect(daemon: Engine, request: HttpRequest) -> Response:
    """Tells all about one."""
    container = daemon.containers.find(request.params["id"])
    found = view.inspect(daemon, container)
    if request.flag("size"):
        written, whole = listing.sizes(daemon, container)
        found = msgspec.structs.replace(found, size_rw=written, size_root_fs=whole)
    shown = full(found)
    for name in container.record.sent_empty:
        if shown["HostConfig"].get(name, 0) is None:
            shown["HostConfig"][name] = {} if name == "PortBindings" else []
    return json(shown)


@route("POST", "/containers/{id}/start")
async def start(daemon: Engine, request: HttpRequest) -> Response:
    """Starts one."""
    container = daemon.containers.find(request.params["id"])
    return EMPTY if await daemon.lifecycle.start(container) else NOT_MODIFIED


@route("POST", "/containers/{id}/stop")
async def stop(daemon: Engine, request: HttpRequest) -> Response:
    """Stops one."""
    name, grace = request.query.get("signal", ""), request.number("t")
    container = daemon.containers.find(request.params["id"])
    _check_signal(request, "cannot stop container: {}")
    return EMPTY if await daemon.lifecycle.stop(container, name=name, grace=grace) else NOT_MODIFIED


@route("POST", "/containers/{id}/restart")
async def restart(daemon: Engine, request: HttpRequest) -> Response:
    """Stops and starts one."""
    name, grace = request.query.get("signal", ""), request.number("t")
    container = daemon.containers.find(request.params["id"])
    _check_signal(request, "Cannot restart container {}")
    await daemon.lifecycle.restart(container, name=name, grace=grace)
    return EMPTY


@route("POST", "/containers/{id}/kill")
async def kill(daemon: Engine, request: HttpRequest) -> Response:
    """Sends a signal; one that waits for its next start stays down then."""
    container = daemon.containers.find(request.params["id"])
    _check_signal(request, "cannot kill container: {}")
    if container.record.status == "restarting":
        await daemon.lifecycle.stop(container)
    else:
        await daemon.lifecycle.kill(container, request.query.get("signal", ""))
    return EMPTY


def _check_signal(request: HttpRequest, failure: str) -> None:
    """Refuses a signal that isn't one, in the words of what was to be done with the container.

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
async def pause(daemon: Engine, request: HttpRequest) -> Response:
    """Freezes one."""
    await daemon.freezer.pause(daemon.containers.find(request.params["id"]))
    return EMPTY


@route("POST", "/containers/{id}/unpause")
async def unpause(daemon: Engine, request: HttpRequest) -> Response:
    """Lets one go on."""
    await daemon.freezer.unpause(daemon.containers.find(request.params["id"]))
    return EMPTY


@route("POST", "/containers/{id}/rename")
async def rename(daemon: Engine, request: HttpRequest) -> Response:
    """Gives one another name."""
    name = request.query.get("name", "")
    if not name:
        raise InvalidInput("Neither old nor new names may be empty")
    container = daemon.containers.find(request.params["id"])
    daemon.containers.rename(container, name)
    await daemon.endpoints.rename(container)
    return EMPTY


@route("DELETE", "/containers/{id}")
async def remove(daemon: Engine, request: HttpRequest) -> Response:
    """Removes one."""
    if request.flag("link"):
        daemon.containers.unlink(request.params["id"])
        return EMPTY
    container = daemon.containers.find(request.params["id"])
    await daemon.lifecycle.remove(container, force=request.flag("force"), volumes=request.flag("v"))
    return EMPTY


@route("POST", "/containers/prune")
async def prune(daemon: Engine, request: HttpRequest) -> Response:
    """Removes all that don't run, for as long as the client waits."""
    return CancelOnDisconnect(work=_prune(daemon, request))


async def _prune(daemon: Engine, request: HttpRequest) -> HandlerResult:
    removed: list[str] = []
    freed = 0
    for container in listing.prunable(daemon, request.filters()):
        size, _ = await asyncio.to_thread(listing.sizes, daemon, container)
        try:
            await daemon.lifecycle.remove(container)
        except PydError:
            continue  # started meanwhile
        removed.append(container.id)
        freed += size
    daemon.events.emit("container", "prune", "", {"reclaimed": str(freed)})
    return json(Pruned(containers_deleted=removed, space_reclaimed=freed))
