"""Running a container again with changes: what it was made of, changed, and the old one kept to go back to."""

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

SETTLE = 1.0
"""Seconds a new container has to live to count as running; one that can't work ends sooner."""

Json = dict[str, Any]

_PLAIN_MODES = ("host", "none", "container:", "ns:")
"""Network modes that join no network of the engine's."""


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """What shall be different; None leaves it as it is.

    Attributes:
        image: Another image.
        command: Program and arguments, after the entrypoint.
        env: Variables, by name; None takes one away.
        host: Fields of `HostConfig` (Engine API), for limits and the restart policy.
        ports: Published ports, as `PortBindings` has them.
    """

    image: str | None = None
    command: Sequence[str] | None = None
    env: Mapping[str, str | None] = {}
    host: Mapping[str, Any] = {}
    ports: Mapping[str, list[Json]] | None = None


class Recreated(msgspec.Struct, frozen=True):
    """A container and the one that it came in the place of.

    Attributes:
        name: The name both had.
        new: The id of the one that has it now.
        old: The id of the one before, which is stopped.
        ran: Whether that one ran.
    """

    name: str
    new: str
    old: str
    ran: bool


async def recreate(engine: EngineClient, container: str, changes: Changes) -> Recreated:
    """Make a container anew with changes and start it; the old one is kept, stopped, under another name.

    Raises:
        Unsupported: The engine would remove the old one when it stops.
        PydError: The new one can't be made, doesn't start, or ends at once; the old one is back as it was.
    """
    found = await _inspected(engine, container)
    name, old = str(found["Name"]).lstrip("/"), str(found["Id"])
    if found["HostConfig"].get("AutoRemove"):
        raise Unsupported(
            f"{safe(name)} is removed by the engine when it stops, so nothing could be undone",
            hint="it was run with --rm",
        )
    ran = bool(found["State"].get("Running"))
    body = changed_body(found, changes, await _image_config(engine, found) if changes.image else {})
    others = _others(found)
    if ran:
        await engine.containers.stop(old)
    made = Recreated(name, "", old, ran)
    try:
        await engine.containers.rename(old, kept_name(name, old))
        made = msgspec.structs.replace(made, new=(await engine.containers.create(body, name=name)).id)
        for network, endpoint in others.items():
            await engine.networks.connect(network, made.new, msgspec.convert(endpoint, EndpointSettings))
        await engine.containers.start(made.new)
        await _lives(engine, made.new, name)
    except (PydError, asyncio.CancelledError):
        with contextlib.suppress(PydError):  # the first failure tells more
            await undo(engine, made)
        raise
    return made


async def undo(engine: EngineClient, made: Recreated) -> None:
    """Remove the new container and bring the old one back, as it was."""
    if made.new:
        with contextlib.suppress(NotFound):
            await engine.containers.remove(made.new, force=True)
    await engine.containers.rename(made.old, made.name)
    if made.ran:
        await engine.containers.start(made.old)


def kept_name(name: str, identity: str) -> str:
    """Return the name of an old container while it is kept."""
    return f"{name}-before-{identity[:6]}"


async def _lives(engine: EngineClient, container: str, name: str) -> None:
    """Wait until a new container has lived a while, or has ended well.

    Raises:
        EngineError: It ended with a failure.
    """
    try:
        async with asyncio.timeout(SETTLE):
            ended = await engine.containers.wait(container)
    except TimeoutError:
        return
    if ended.status_code != 0:
        raise EngineError(
            f"the new {safe(name)} ended at once with {ended.status_code}; the old one is back",
            hint="look at its last lines with pyd logs, and change something else",
            reference="ended-at-once",
        )


async def _inspected(engine: EngineClient, container: str) -> Json:
    try:
        found: Json = msgspec.json.decode(await engine.containers.inspect_raw(container))
        if not all(isinstance(found.get(part), dict) for part in ("Config", "HostConfig", "State")):
            raise ProtocolError("the engine tells too little of the container to make it anew")
    except (msgspec.DecodeError, AttributeError) as error:
        raise ProtocolError("the engine's inspect is no JSON object") from error
    return found


async def _image_config(engine: EngineClient, found: Json) -> Json:
    """What the old image itself brought; nothing where it is gone."""
    try:
        image: Json = msgspec.json.decode(await engine.images.inspect_raw(str(found.get("Image") or "")))
    except PydError:
        return {}
    return image.get("Config") or {}


def changed_body(found: Json, changes: Changes, image: Json) -> Json:
    """Return the body of `POST /containers/create` that makes a container like an inspected one, with changes.

    Args:
        found: The inspect document.
        changes: What shall be different.
        image: The old image's configuration where another shall be used: what came from it, the new one brings itself.
    """
    body: Json = dict(found["Config"])
    host: Json = {**found["HostConfig"], **changes.host}
    body.pop("MacAddress", None)
    if str(found["Id"]).startswith(str(body.get("Hostname") or "-")):
        body.pop("Hostname")
    if changes.image:
        body = {name: value for name, value in body.items() if value != image.get(name)} | {"Image": changes.image}
        body["Env"] = [one for one in body.get("Env") or [] if one not in (image.get("Env") or [])]
    if changes.command is not None:
        body["Cmd"] = list(changes.command)
    env = dict(one.partition("=")[::2] for one in body.get("Env") or [])
    for variable, value in changes.env.items():
        if value is None:
            env.pop(variable, None)
        else:
            env[variable] = value
    body["Env"] = [f"{variable}={value}" for variable, value in env.items()]
    if changes.ports is not None:
        host["PortBindings"] = dict(changes.ports)
        body["ExposedPorts"] = {**(body.get("ExposedPorts") or {}), **{port: {} for port in changes.ports}}
    host["Binds"] = [*(host.get("Binds") or []), *_anonymous(found)]
    body["HostConfig"] = host
    primary = _primary(found)
    if primary and primary in (networks := _networks(found)):
        body["NetworkingConfig"] = {"EndpointsConfig": {primary: networks[primary]}}
    return body


def _anonymous(found: Json) -> list[str]:
    """The volumes that only the old container knows: the new one goes on with them."""
    host = found["HostConfig"]
    named = {bind.split(":")[1] for bind in host.get("Binds") or [] if ":" in bind}
    named |= {str(mount.get("Target")) for mount in host.get("Mounts") or []}
    return [
        f"{mount['Name']}:{mount['Destination']}{'' if mount.get('RW', True) else ':ro'}"
        for mount in found.get("Mounts") or []
        if mount.get("Type") == "volume" and mount.get("Name") and mount.get("Destination") not in named
    ]


def _primary(found: Json) -> str:
    mode = str(found["HostConfig"].get("NetworkMode") or "")
    if mode.startswith(_PLAIN_MODES):
        return ""
    return "bridge" if mode == "default" else mode


def _networks(found: Json) -> Json:
    """The settings that were asked for of each network, without what the engine gave by itself."""
    asked: Json = {}
    for name, endpoint in ((found.get("NetworkSettings") or {}).get("Networks") or {}).items():
        kept = {key: endpoint.get(key) for key in ("IPAMConfig", "Links", "DriverOpts") if endpoint.get(key)}
        aliases = [one for one in endpoint.get("Aliases") or [] if not str(found["Id"]).startswith(one)]
        asked[name] = {**kept, **({"Aliases": aliases} if aliases else {})}
    return asked


def _others(found: Json) -> Json:
    primary = _primary(found)
    return {name: endpoint for name, endpoint in _networks(found).items() if primary and name != primary}
