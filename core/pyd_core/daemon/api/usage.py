"""`/containers/{id}/top`, `/stats` and `/update`: resource use and its limits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, ClassVar

import msgspec

from pyd_core.daemon.api.encoding import full, json, line
from pyd_core.daemon.api.http import HttpRequest, Response, StreamingResponse
from pyd_core.daemon.api.routes import route
from pyd_core.daemon.containers import options, resources, usage
from pyd_core.errors import Conflict, EngineError, InvalidInput
from pyd_core.model.container import Updated
from pyd_core.model.host_config import HostConfig, RestartPolicy

if TYPE_CHECKING:
    from pyd_core.daemon.engine import Engine

EVERY = 1.0
"""Interval of the samples in a stream."""


class UpdateRequest(HostConfig):
    """The body of `POST /containers/{id}/update`: limits and the restart policy."""

    SPEC: ClassVar[str] = ""


@route("GET", "/containers/{id}/top")
async def top(engine: Engine, request: HttpRequest) -> Response:
    """List a container's processes."""
    container = engine.containers.find(request.params["id"])
    processes = await usage.processes(container, request.query.get("ps_args", ""))
    engine.events.emit("container", "top", container.id, container.attributes())
    return json(processes)


@route("GET", "/containers/{id}/stats")
async def stats(engine: Engine, request: HttpRequest) -> Response:
    """Report a container's resource use, once or about every second."""
    container = engine.containers.find(request.params["id"])
    if request.flag("stream", default=True) and request.flag("one-shot"):
        raise InvalidInput("cannot have stream=true and one-shot=true")
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

    return StreamingResponse(chunks=samples())


LIMITS = (
    *("memory", "memory_swap", "memory_reservation", "nano_cpus", "cpu_shares", "cpu_quota", "cpu_period"),
    *("cpuset_cpus", "cpuset_mems", "blkio_weight", "cpu_realtime_period", "cpu_realtime_runtime"),
)
"""Limits that can change while a container runs; `pids_limit` too, of which 0 and below remove the limit."""

PIDS_LIMIT_SINCE = (1, 40)
"""The API version since which an update has a limit of processes."""
UNLIMITED_PIDS = -1
"""The value that makes a runtime remove the limit."""


@route("POST", "/containers/{id}/update")
async def update(engine: Engine, request: HttpRequest) -> Response:
    """Change limits and the restart policy."""
    body = await request.json(UpdateRequest)
    container = engine.containers.find(request.params["id"])
    record = container.record
    options.check_restart(body)
    resources.check(body, engine.processors, update=True)
    try:
        _check_update(record.host, body)
    except Conflict as error:
        raise Conflict(f"Cannot update container {record.id}: {error.message}") from None
    changes = {name: getattr(body, name) for name in LIMITS if getattr(body, name)}
    if body.pids_limit is not None and request.version >= PIDS_LIMIT_SINCE:
        changes["pids_limit"] = max(body.pids_limit, 0)
    limits = resources.plan(msgspec.structs.replace(record.host, **changes))
    if changes.get("pids_limit") == 0:
        limits["pids"] = {"limit": UNLIMITED_PIDS}
    if body.restart_policy.name:
        changes["restart_policy"] = RestartPolicy(
            name=body.restart_policy.name, maximum_retry_count=body.restart_policy.maximum_retry_count
        )
    async with container.lock:
        container.ensure_not_removing("updated")
        if changes.keys() - {"restart_policy"} and record.running:
            try:
                await engine.runtimes.of(record).update(record.id, limits)
            except EngineError as error:  # the kernel or the runtime refuses these values: the request is at fault
                raise InvalidInput(error.message) from error
        record.host = msgspec.structs.replace(record.host, **changes)
        engine.containers.save(container)
    engine.events.emit("container", "update", record.id, container.attributes())
    return json(Updated())


def _check_update(host: HostConfig, body: HostConfig) -> None:
    """Refuse limits that contradict the container's.

    Raises:
        Conflict: It doesn't.
    """
    for name, words, others in (
        ("nano_cpus", "Nano CPUs", (("cpu_period", "CPU Period has"), ("cpu_quota", "CPU Quota has"))),
        ("cpu_period", "CPU Period", (("nano_cpus", "NanoCPUs has"),)),
        ("cpu_quota", "CPU Quota", (("nano_cpus", "NanoCPUs has"),)),
    ):
        for other, has in others:
            if getattr(body, name) > 0 and getattr(host, other) > 0:
                raise Conflict(f"Conflicting options: {words} cannot be updated as {has} already been set")
    if body.memory and not body.memory_swap and body.memory > (host.memory_swap or host.memory * 2):
        raise Conflict(
            "Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time"
        )
    if body.restart_policy.name not in {"", "no"} and host.auto_remove:
        raise Conflict("Restart policy cannot be updated because AutoRemove is enabled for the container")
