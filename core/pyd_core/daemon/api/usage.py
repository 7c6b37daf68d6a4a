"""`/containers/{id}/top`, `/stats` and `/update`: what they use, and what they may."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, ClassVar

import msgspec

from pyd_core.daemon.api.encoding import full, json, line
from pyd_core.daemon.api.http import Request, Response, Streaming
from pyd_core.daemon.api.routes import route
from pyd_core.daemon.containers import options, resources, usage
from pyd_core.errors import Conflict, EngineError, InvalidInput
from pyd_core.model.host_config import HostConfig, RestartPolicy

if TYPE_CHECKING:
    from pyd_core.daemon.engine import Daemon

EVERY = 1.0
"""Seconds between two samples of a stream."""


class UpdateBody(HostConfig):
    """The body of `POST /containers/{id}/update`: limits and the restart policy."""

    SPEC: ClassVar[str] = ""


@route("GET", "/containers/{id}/top")
async def top(daemon: Daemon, request: Request) -> Response:
    """Lists its processes."""
    container = daemon.containers.find(request.params["id"])
    found = await usage.processes(container, request.query.get("ps_args", ""))
    daemon.events.emit("container", "top", container.id, container.attributes())
    return json(found)


@route("GET", "/containers/{id}/stats")
async def stats(daemon: Daemon, request: Request) -> Response:
    """Tells what it uses, once or about every second."""
    container = daemon.containers.find(request.params["id"])
    sampler = usage.Sampler(container)
    if not request.flag("stream", default=True):
        sample = sampler.sample()
        if not request.flag("one-shot") and container.record.running:
            await asyncio.sleep(EVERY)
            sample = sampler.sample()
        return json(sample)

    async def samples() -> AsyncIterator[bytes]:
        gone = container.removal()
        while not gone.done():
            yield line(full(sampler.sample()))
            await asyncio.wait({gone}, timeout=EVERY)

    return Streaming(chunks=samples())


LIMITS = (
    *("memory", "memory_swap", "memory_reservation", "nano_cpus", "cpu_shares", "cpu_quota", "cpu_period"),
    *("cpuset_cpus", "cpuset_mems", "pids_limit", "blkio_weight"),
)
"""What can be changed while it lives."""


@route("POST", "/containers/{id}/update")
async def update(daemon: Daemon, request: Request) -> Response:
    """Changes limits and the restart policy."""
    container = daemon.containers.find(request.params["id"])
    body = await request.json(UpdateBody)
    record = container.record
    asked = {name: getattr(body, name) for name in LIMITS if getattr(body, name)}
    options.check_restart(body)
    if body.restart_policy.name:
        if record.host.auto_remove and body.restart_policy.name != "no":
            raise Conflict("Restart policy cannot be updated because AutoRemove is enabled for the container")
        asked["restart_policy"] = RestartPolicy(
            name=body.restart_policy.name, maximum_retry_count=body.restart_policy.maximum_retry_count
        )
    host = msgspec.structs.replace(record.host, **asked)
    if host.memory and 0 < host.memory_swap < host.memory:
        raise Conflict("Memory limit should be smaller than already set memoryswap limit, update the memoryswap too")
    resources.check(host, daemon.processors)
    async with container.lock:
        limits = set(asked) - {"restart_policy"}
        if limits and record.running:
            try:
                await daemon.runtimes.of(record).update(record.id, resources.plan(host))
            except EngineError as error:  # the kernel or the runtime won't have these values: the request is at fault
                raise InvalidInput(error.message) from error
        record.host = host
        daemon.containers.save(container)
    daemon.events.emit("container", "update", record.id, container.attributes())
    return json({"Warnings": []})
