"""`/networks`: list, create, remove, connect and disconnect."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import msgspec

from pyd_core.daemon.api.encoding import json
from pyd_core.daemon.api.http import EMPTY, HandlerResult, HttpRequest, Response
from pyd_core.daemon.api.routes import route
from pyd_core.daemon.filters import has_label, until
from pyd_core.daemon.networks.record import INTERFACE_DRIVERS, PREDEFINED, Driver, NetworkRecord
from pyd_core.daemon.rows import show_rows
from pyd_core.errors import InvalidInput, NotFound, PydError, Refused, Unsupported
from pyd_core.gosyntax.booleans import FILTER_BOOLS
from pyd_core.model.network import ConnectBody, DisconnectBody, EndpointSettings, NetworkBody

if TYPE_CHECKING:
    from pyd_core.daemon.containers.container import EngineContainer
    from pyd_core.daemon.engine import Engine


TYPES = {"builtin", "custom"}


def _check(name: str, values: list[str]) -> None:
    """Refuse a value that a filter doesn't have; Docker Engine has messages of its own for networks."""
    if name == "dangling" and len(values) != 1:
        raise InvalidInput('got more than one value for filter key "dangling"')
    if name == "dangling" and values[0] not in FILTER_BOOLS:
        raise InvalidInput("""invalid value for filter 'dangling', must be "true" (or "1"), or "false" (or "0")""")
    unknown = set(values) - TYPES
    if name == "type" and unknown:
        raise InvalidInput(f"invalid filter: 'type'='{min(unknown)[:40]}'")


def _test(engine: Engine, name: str, values: list[str]) -> Callable[[NetworkRecord], bool]:
    _check(name, values)
    tests: dict[str, Callable[[NetworkRecord], bool]] = {
        "name": lambda network: any(value in network.name for value in values),
        "id": lambda network: any(network.id.startswith(value) for value in values),
        "driver": lambda network: network.driver in values,
        "type": lambda network: ("builtin" if network.name in PREDEFINED else "custom") in values,
        "scope": lambda _: "local" in values,
        "label": lambda network: all(has_label(network.labels, value) for value in values),
        "dangling": lambda network: (
            (network.name not in PREDEFINED and not engine.networks.members(network)) == FILTER_BOOLS[values[0]]
        ),
    }
    if name not in tests:
        raise InvalidInput(f"invalid filter '{name}'")
    return tests[name]


def choose(engine: Engine, filters: Mapping[str, list[str]]) -> list[NetworkRecord]:
    """Return the networks that match the API's filters."""
    tests = [_test(engine, name, values) for name, values in filters.items()]
    return [network for network in engine.networks.all() if all(test(network) for test in tests)]


@route("GET", "/networks")
async def list_(engine: Engine, request: HttpRequest) -> Response:
    """List networks."""
    return json(show_rows(choose(engine, request.filters()), lambda network: network.view({})))


route("GET", "/networks/")(list_)  # Docker Engine's other spelling of it


@route("GET", "/networks/{id}")
async def inspect(engine: Engine, request: HttpRequest) -> Response:
    """Return a network's full inspect data."""
    record = engine.networks.find(request.params["id"])
    return json(record.view(engine.networks.inspect_members(record)))


@route("POST", "/networks/create")
async def create(engine: Engine, request: HttpRequest) -> Response:
    """Create a network."""
    body = await request.json(NetworkBody)
    if body.name in {*PREDEFINED, "default"}:
        raise Refused(f"operation is not permitted on predefined {body.name} network ")
    if not body.name.isprintable() or not body.name.strip() or "/" in body.name:
        raise InvalidInput(f"invalid name: {body.name[:80]}")
    if body.driver in {"host", "null"}:
        raise Refused(f'only one instance of "{body.driver}" network is allowed')
    if body.ipam and body.ipam.driver not in {"", "default"}:
        raise NotFound(f'plugin "{body.ipam.driver[:60]}" not found', hint="addresses are given by this engine alone")
    if body.scope not in {"", "local"} or body.driver == "overlay" or body.ingress:
        raise Unsupported(
            "overlay networks need a swarm, which is not served by this engine",
            hint="a swarm needs Docker Engine",
            reference="not-served",
        )
    if body.config_only or (body.config_from is not None and body.config_from.network):
        raise Unsupported(
            "networks that only carry a configuration are not served by this engine", reference="not-served"
        )
    if body.driver not in {"", *INTERFACE_DRIVERS}:
        raise NotFound(f'plugin "{body.driver[:60]}" not found')
    record = NetworkRecord(
        id=secrets.token_hex(32),
        name=body.name,
        driver=msgspec.convert(body.driver or "bridge", Driver),
        created_ns=time.time_ns(),
        internal=body.internal,
        attachable=body.attachable,
        labels=body.labels,
        options=body.options,
        ipam_options=body.ipam.options if body.ipam else None,
    )
    await engine.networks.create(record, body.ipam.config if body.ipam else [], ipv6=body.enable_ipv6)
    return json({"Id": record.id, "Warning": ""}, status=201)


@route("DELETE", "/networks/{id}")
async def remove(engine: Engine, request: HttpRequest) -> Response:
    """Remove a network."""
    await engine.networks.remove(engine.networks.find(request.params["id"]))
    return EMPTY


@route("POST", "/networks/{id}/connect")
async def connect(engine: Engine, request: HttpRequest) -> Response:
    """Connect a container to a network."""
    network = engine.networks.find(request.params["id"])
    body = await request.json(ConnectBody)
    container = _container(engine, body.container)
    async with container.lock:  # it may be starting or ending just now
        container.ensure_not_removing("connected")
        await engine.endpoints.connect(container, network, body.endpoint_config or EndpointSettings())
    return HandlerResult(status=200)


@route("POST", "/networks/{id}/disconnect")
async def disconnect(engine: Engine, request: HttpRequest) -> Response:
    """Disconnect a container from a network."""
    body = await request.json(DisconnectBody)
    container = _container(engine, body.container)
    try:
        network = engine.networks.find(request.params["id"])
    except NotFound:
        if not body.force:
            raise
        engine.endpoints.forget(container, request.params["id"])
        return HandlerResult(status=200)
    async with container.lock:
        await engine.endpoints.disconnect(container, network)
    return HandlerResult(status=200)


def _container(engine: Engine, name: str) -> EngineContainer:
    if not name:
        raise InvalidInput('invalid name or ID supplied: ""')
    return engine.containers.find(name)


@route("POST", "/networks/prune")
async def prune(engine: Engine, request: HttpRequest) -> Response:
    """Remove all networks without containers."""
    filters = request.filters()
    unknown = set(filters) - {"until", "label", "label!"}
    if unknown:
        raise InvalidInput(f"invalid filter '{min(unknown)}'")
    edge = until(filters.get("until", []))
    removed: list[str] = []
    for record in engine.networks.all():
        matches = all(has_label(record.labels, value) for value in filters.get("label", []))
        matches &= not any(has_label(record.labels, value) for value in filters.get("label!", []))
        matches &= edge is None or record.created_ns < edge
        if record.name in PREDEFINED or engine.networks.members(record) or not matches:
            continue
        try:
            await engine.networks.remove(record)
        except PydError:
            continue  # a container joined meanwhile
        removed.append(record.name)
    engine.events.emit("network", "prune", "", {"reclaimed": "0"})
    return json({"NetworksDeleted": removed or None})
