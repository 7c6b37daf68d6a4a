"""Stacks of a swarm: the changes of a deployment, and the deployment itself."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from pyd_core.client.credentials import RegistryCredentials
from pyd_core.client.engine_client import EngineClient
from pyd_core.cliparse.stack.services import IMAGE_LABEL
from pyd_core.cliparse.stack.stack import StackFile
from pyd_core.errors import Conflict, NotFound
from pyd_core.model.base import decode
from pyd_core.model.network import NetworkBody
from pyd_core.model.service import STACK


@dataclass(frozen=True, kw_only=True)
class ServiceChange:
    """A deployment's change to one object.

    Attributes:
        verb: `create`, `update`, `keep` or `remove`.
        kind: `service`, `network`, `secret` or `config`.
        name: Its name.
        details: Of an update: the fields that change, as `field: before -> after`.
    """

    verb: str
    kind: str
    name: str
    details: tuple[str, ...] = ()


@dataclass(kw_only=True)
class Deployment:
    """A stack file compared with the swarm.

    Attributes:
        stack: The stack file.
        present: The present specifications of the stack's services, by name.
        changes: The changes that deploying it makes.
    """

    stack: StackFile
    present: dict[str, dict[str, Any]]
    changes: list[ServiceChange] = field(default_factory=list)

    @property
    def has_changes(self) -> bool:
        """Whether an existing object is changed or removed."""
        return any(change.verb in {"update", "remove"} for change in self.changes)


async def compare(engine: EngineClient, stack: StackFile, *, prune: bool = False) -> Deployment:
    """Return the changes that deploying a stack would make.

    Args:
        engine: A manager.
        stack: The stack file.
        prune: Remove services that the stack file no longer has.

    Raises:
        Conflict: A config exists with another content, which can't be changed.
    """
    label = {"label": [f"{STACK}={stack.name}"]}
    present: dict[str, dict[str, Any]] = {}
    for service in await engine.services.list(filters=label):
        raw = decode(await engine.services.inspect_raw(service.id), dict[str, Any], what="a service")
        present[service.spec.name] = raw.get("Spec", {})
    deployment = Deployment(stack=stack, present=present)
    networks = {network.name for network in await engine.networks.list(filters=label)}
    deployment.changes += [_create_or_keep("network", name, name in networks) for name in stack.networks]
    secrets = {secret.spec.name for secret in await engine.secrets.list(filters=label)}
    deployment.changes += [_create_or_keep("secret", name, name in secrets) for name in stack.secrets]
    configs = {config.spec.name: config.spec.data for config in await engine.configs.list(filters=label)}
    for name, data in stack.configs.items():
        if name in configs and base64.b64decode(configs[name]) != data:
            raise Conflict(
                f"the config {name} exists with another content, and contents can't be changed",
                hint="give it another name in the file, so that services change to it",
            )
        deployment.changes.append(_create_or_keep("config", name, name in configs))
    for name, spec in stack.services.items():
        if name not in present:
            deployment.changes.append(ServiceChange(verb="create", kind="service", name=name))
            continue
        details = await _differences(engine, present[name], spec)
        deployment.changes.append(
            ServiceChange(verb="update" if details else "keep", kind="service", name=name, details=tuple(details))
        )
    if prune:
        deployment.changes += [
            ServiceChange(verb="remove", kind="service", name=name) for name in present if name not in stack.services
        ]
    return deployment


def _create_or_keep(kind: str, name: str, is_there: bool) -> ServiceChange:
    return ServiceChange(verb="keep" if is_there else "create", kind=kind, name=name)


_FIELDS: tuple[tuple[str, Callable[[Mapping[str, Any]], Any]], ...] = (
    ("image", lambda spec: (spec.get("Labels") or {}).get(IMAGE_LABEL)),
    ("entrypoint", lambda spec: _container(spec).get("Command")),
    ("command", lambda spec: _container(spec).get("Args")),
    ("environment", lambda spec: sorted(_container(spec).get("Env") or [])),
    ("labels", lambda spec: _own_labels(spec.get("Labels"))),
    ("container labels", lambda spec: _own_labels(_container(spec).get("Labels"))),
    ("user", lambda spec: _container(spec).get("User")),
    ("directory", lambda spec: _container(spec).get("Dir")),
    ("host name", lambda spec: _container(spec).get("Hostname")),
    ("mounts", lambda spec: _container(spec).get("Mounts")),
    ("secrets", lambda spec: _names(_container(spec).get("Secrets"), "SecretName")),
    ("configs", lambda spec: _names(_container(spec).get("Configs"), "ConfigName")),
    ("health probe", lambda spec: _container(spec).get("Healthcheck")),
    ("capabilities", lambda spec: [_container(spec).get("CapabilityAdd"), _container(spec).get("CapabilityDrop")]),
    ("limits", lambda spec: (_template(spec).get("Resources") or {}).get("Limits")),
    ("reservations", lambda spec: (_template(spec).get("Resources") or {}).get("Reservations")),
    ("constraints", lambda spec: (_template(spec).get("Placement") or {}).get("Constraints")),
    ("networks", lambda spec: _names(_template(spec).get("Networks"), "Target")),
    ("mode", lambda spec: spec.get("Mode")),
    ("ports", lambda spec: _ports((spec.get("EndpointSpec") or {}).get("Ports"))),
)
"""The fields that are compared and shown before a service is changed; all others are sent too."""


def _template(spec: Mapping[str, Any]) -> Mapping[str, Any]:
    template: Mapping[str, Any] = spec.get("TaskTemplate") or {}
    return template


def _container(spec: Mapping[str, Any]) -> Mapping[str, Any]:
    container: Mapping[str, Any] = _template(spec).get("ContainerSpec") or {}
    return container


def _own_labels(labels: Mapping[str, str] | None) -> dict[str, str]:
    return {name: value for name, value in (labels or {}).items() if name not in {STACK, IMAGE_LABEL}}


def _names(entries: list[dict[str, Any]] | None, key: str) -> list[str]:
    return sorted(str(entry.get(key)) for entry in entries or [])


def _ports(ports: list[dict[str, Any]] | None) -> list[str]:
    return sorted(
        f"{port.get('PublishedPort', '')}:{port['TargetPort']}/{port.get('Protocol', 'tcp')}" for port in ports or []
    )


async def _differences(engine: EngineClient, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Return the fields that change, with what they were and will be."""
    resolved = dict(before)
    template = dict(_template(before))
    template["Networks"] = [
        {**network, "Target": await _network_name(engine, str(network.get("Target")))}
        for network in template.get("Networks") or []
    ]
    resolved["TaskTemplate"] = template
    differences = []
    for name, read in _FIELDS:
        was, will_be = read(resolved) or None, read(after) or None
        if was != will_be:
            differences.append(f"{name}: {_format_value(was)} -> {_format_value(will_be)}")
    return differences


async def _network_name(engine: EngineClient, target: str) -> str:
    """Return the name of a network that a specification names by its id."""
    try:
        return (await engine.networks.inspect(target)).name
    except NotFound:
        return target


def _format_value(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return " ".join(value) or "none"
    return str(value)


async def deploy(
    engine: EngineClient,
    deployment: Deployment,
    *,
    credentials: Callable[[str], RegistryCredentials | None] | None = None,
    progress: Callable[[ServiceChange], None],
) -> None:
    """Create a swarm have a stack: first what services need, then the services.

    Args:
        engine: A manager.
        deployment: As `compare` returns it.
        credentials: Those that nodes show the registry of an image; None sends none.
        progress: Called with each change once it is done.
    """
    stack = deployment.stack
    for change in deployment.changes:
        if change.kind == "service" or change.verb != "create":
            continue
        if change.kind == "network":
            await engine.networks.create(msgspec.convert(stack.networks[change.name], NetworkBody))
        else:
            collection = engine.secrets if change.kind == "secret" else engine.configs
            data = (stack.secrets if change.kind == "secret" else stack.configs)[change.name]
            await collection.create(change.name, data, labels={STACK: stack.name})
        progress(change)
    for change in deployment.changes:
        if change.kind != "service":
            continue
        if change.verb == "remove":
            await engine.services.remove(change.name)
        else:
            spec = stack.services[change.name]
            await _add_ids(engine, spec)
            auth = credentials(_container(spec)["Image"]) if credentials is not None else None
            if change.verb == "create":
                await engine.services.create(spec, credentials=auth)
            else:
                await engine.services.edit(change.name, _replace_spec(spec), credentials=auth)
        progress(change)


def _replace_spec(new_spec: Mapping[str, Any]) -> Callable[[dict[str, Any]], None]:
    """Put a specification in place of another. An image of the same name keeps the digest it was resolved to."""

    def change(spec: dict[str, Any]) -> None:
        before_image = (spec.get("Labels") or {}).get(IMAGE_LABEL)
        resolved = _container(spec).get("Image")
        forced = _template(spec).get("ForceUpdate", 0)
        spec.clear()
        spec.update(new_spec)
        template = {**new_spec["TaskTemplate"], "ForceUpdate": forced}
        if resolved and before_image == new_spec["Labels"][IMAGE_LABEL]:
            template["ContainerSpec"] = {**template["ContainerSpec"], "Image": resolved}
        spec["TaskTemplate"] = template

    return change


async def _add_ids(engine: EngineClient, spec: Mapping[str, Any]) -> None:
    """Add the ids of secrets and configs, which the engine requires besides their names."""
    container = _container(spec)
    for secret in container.get("Secrets") or []:
        secret["SecretID"] = (await engine.secrets.inspect(secret["SecretName"])).id
    for config in container.get("Configs") or []:
        config["ConfigID"] = (await engine.configs.inspect(config["ConfigName"])).id
