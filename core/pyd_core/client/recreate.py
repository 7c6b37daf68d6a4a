"""Recreation of a container with changes; the old one is kept so that it can be undone."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from pyd_core.client.engine_client import EngineClient
from pyd_core.errors import EngineError, NotFound, ProtocolError, PydError, Unsupported
from pyd_core.model.network import EndpointSettings
from pyd_core.sanitise import safe

MIN_UPTIME_S = 1.0
"""A new container counts as running after this time; a broken one ends sooner."""

Json = dict[str, Any]

_PLAIN_MODES = ("host", "none", "container:", "ns:")
"""Network modes that join no network of the engine's."""


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """Changes to a container's configuration; None keeps the present value.

    Attributes:
        image: Another image.
        command: Program and arguments, after the entrypoint.
        env: Variables, by name; None removes one.
        host: Fields of `HostConfig` (Engine API), for limits and the restart policy.
        ports: Published ports, as `PortBindings` has them.
    """

    image: str | None = None
    command: Sequence[str] | None = None
    env: Mapping[str, str | None] = {}
    host: Mapping[str, Any] = {}
    ports: Mapping[str, list[Json]] | None = None


class Recreated(msgspec.Struct, frozen=True):
    """A recreated container and its predecessor.

    Attributes:
        name: Their name.
        new: The id of the new container.
        old: The id of the old container, which is stopped.
        ran: Whether the old one ran.
    """

    name: str
    new: str
    old: str
    ran: bool


async def recreate(engine: EngineClient, container: str, changes: Changes) -> Recreated:
    """Recreate a container with changes and start it; the old one is kept, stopped, under another name.

    Raises:
        Unsupported: The engine would remove the old one when it stops.
        PydError: The new one can't be created, doesn't start, or exits immediately; the old one is restored.
    """
    inspected = await _inspect(engine, container)
    name, old_id = str(inspected["Name"]).lstrip("/"), str(inspected["Id"])
    if inspected["HostConfig"].get("AutoRemove"):
        raise Unsupported(
            f"{safe(name)} is removed by the engine when it stops, so nothing could be undone",
            hint="it was run with --rm",
        )
    ran = bool(inspected["State"].get("Running"))
    body = changed_body(inspected, changes, await _image_config(engine, inspected) if changes.image else {})
    secondary = _secondary_networks(inspected)
    if ran:
        await engine.containers.stop(old_id)
    recreated = Recreated(name, "", old_id, ran)
    try:
        await engine.containers.rename(old_id, backup_name(name, old_id))
        recreated = msgspec.structs.replace(recreated, new=(await engine.containers.create(body, name=name)).id)
        for network, endpoint in secondary.items():
            await engine.networks.connect(network, recreated.new, msgspec.convert(endpoint, EndpointSettings))
        await engine.containers.start(recreated.new)
        await _wait_until_stable(engine, recreated.new, name)
    except (PydError, asyncio.CancelledError):
        with contextlib.suppress(PydError):  # the first failure says more
            await undo(engine, recreated)
        raise
    return recreated


async def undo(engine: EngineClient, recreated: Recreated) -> None:
    """Remove the new container and restore the old one."""
    if recreated.new:
        with contextlib.suppress(NotFound):
            await engine.containers.remove(recreated.new, force=True)
    await engine.containers.rename(recreated.old, recreated.name)
    if recreated.ran:
        await engine.containers.start(recreated.old)


def backup_name(name: str, identity: str) -> str:
    """Return the name under which the old container is kept."""
    return f"{name}-before-{identity[:6]}"


async def _wait_until_stable(engine: EngineClient, container: str, name: str) -> None:
    """Wait until a new container has run for a while or has succeeded.

    Raises:
        EngineError: It failed.
    """
    try:
        async with asyncio.timeout(MIN_UPTIME_S):
            result = await engine.containers.wait(container)
    except TimeoutError:
        return
    if result.status_code != 0:
        raise EngineError(
            f"the new {safe(name)} ended at once with {result.status_code}; the old one is back",
            hint="look at its last lines with pyd logs, and change something else",
            reference="ended-at-once",
        )


async def _inspect(engine: EngineClient, container: str) -> Json:
    try:
        document: Json = msgspec.json.decode(await engine.containers.inspect_raw(container))
        if not all(isinstance(document.get(part), dict) for part in ("Config", "HostConfig", "State")):
            raise ProtocolError("the engine's inspect lacks parts that recreating the container needs")
    except (msgspec.DecodeError, AttributeError) as error:
        raise ProtocolError("the engine's inspect is no JSON object") from error
    return document


async def _image_config(engine: EngineClient, inspected: Json) -> Json:
    """Return the old image's configuration; empty if the image is gone."""
    try:
        image: Json = msgspec.json.decode(await engine.images.inspect_raw(str(inspected.get("Image") or "")))
    except PydError:
        return {}
    return image.get("Config") or {}


def changed_body(inspected: Json, changes: Changes, image: Json) -> Json:
    """Return the body of `POST /containers/create` that makes a container like an inspected one, with changes.

    Args:
        inspected: The inspect document.
        changes: The changes.
        image: The old image's configuration, if another image is used: values taken from it are dropped.
    """
    body: Json = dict(inspected["Config"])
    host: Json = {**inspected["HostConfig"], **changes.host}
    body.pop("MacAddress", None)
    if str(inspected["Id"]).startswith(str(body.get("Hostname") or "-")):
        body.pop("Hostname")
    if changes.image:
        body = {name: value for name, value in body.items() if value != image.get(name)} | {"Image": changes.image}
        body["Env"] = [entry for entry in body.get("Env") or [] if entry not in (image.get("Env") or [])]
    if changes.command is not None:
        body["Cmd"] = list(changes.command)
    env = dict(entry.partition("=")[::2] for entry in body.get("Env") or [])
    for variable, value in changes.env.items():
        if value is None:
            env.pop(variable, None)
        else:
            env[variable] = value
    body["Env"] = [f"{variable}={value}" for variable, value in env.items()]
    if changes.ports is not None:
        host["PortBindings"] = dict(changes.ports)
        body["ExposedPorts"] = {**(body.get("ExposedPorts") or {}), **{port: {} for port in changes.ports}}
    host["Binds"] = [*(host.get("Binds") or []), *_anonymous_binds(inspected)]
    body["HostConfig"] = host
    primary = _primary_network(inspected)
    if primary and primary in (networks := _network_settings(inspected)):
        body["NetworkingConfig"] = {"EndpointsConfig": {primary: networks[primary]}}
    return body


def _anonymous_binds(inspected: Json) -> list[str]:
    """Return the old container's anonymous volumes as binds, so that the new one keeps them."""
    host = inspected["HostConfig"]
    named = {bind.split(":")[1] for bind in host.get("Binds") or [] if ":" in bind}
    named |= {str(mount.get("Target")) for mount in host.get("Mounts") or []}
    return [
        f"{mount['Name']}:{mount['Destination']}{'' if mount.get('RW', True) else ':ro'}"
        for mount in inspected.get("Mounts") or []
        if mount.get("Type") == "volume" and mount.get("Name") and mount.get("Destination") not in named
    ]


def _primary_network(inspected: Json) -> str:
    mode = str(inspected["HostConfig"].get("NetworkMode") or "")
    if mode.startswith(_PLAIN_MODES):
        return ""
    return "bridge" if mode == "default" else mode


def _network_settings(inspected: Json) -> Json:
    """Return the requested settings of each network, without values that the engine chose."""
    settings: Json = {}
    for name, endpoint in ((inspected.get("NetworkSettings") or {}).get("Networks") or {}).items():
        endpoint_settings = {
            key: endpoint.get(key) for key in ("IPAMConfig", "Links", "DriverOpts") if endpoint.get(key)
        }
        aliases = [alias for alias in endpoint.get("Aliases") or [] if not str(inspected["Id"]).startswith(alias)]
        settings[name] = {**endpoint_settings, **({"Aliases": aliases} if aliases else {})}
    return settings


def _secondary_networks(inspected: Json) -> Json:
    primary = _primary_network(inspected)
    return {name: endpoint for name, endpoint in _network_settings(inspected).items() if primary and name != primary}
