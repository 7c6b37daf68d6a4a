"""Creation requests, checked and merged with their image's configuration."""

from __future__ import annotations

import json
import os
import re
from typing import Any

import msgspec

from pyd_core.daemon.containers import capabilities, log_options, modes, resources, signals
from pyd_core.daemon.containers.oci_spec import Security
from pyd_core.errors import InvalidInput
from pyd_core.model.container_config import ContainerConfig, HealthConfig
from pyd_core.model.creation import CreateBody
from pyd_core.model.host_config import HostConfig
from pyd_core.model.network import EndpointSettings

_PORT = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?(?:/(tcp|udp|sctp))?")
MAX_HOSTNAME_BYTES = 64
"""Bytes, see sethostname(2)."""
MIN_HEALTH_TIME_NS = 1_000_000
"""Nanoseconds; a shorter interval is a mistake of units."""


def merge_image_config(body: CreateBody, image: ContainerConfig, key: str) -> ContainerConfig:
    """Merge a request with the image's configuration.

    Raises:
        InvalidInput: There is no command, or a field makes no sense.
    """
    own: dict[str, Any] = {field.name: getattr(body, field.name) for field in msgspec.structs.fields(ContainerConfig)}
    entrypoint = _words(body.entrypoint)
    if not entrypoint:
        own["cmd"] = body.cmd or image.cmd
        if entrypoint is None:
            entrypoint = _words(image.entrypoint)
    if entrypoint == [""]:
        entrypoint = None
    own["entrypoint"] = entrypoint or None
    if not (entrypoint or own["cmd"]):
        raise InvalidInput("no command specified")
    named = {entry.partition("=")[0] for entry in body.env}
    # A name without a value stays: it removes the image's variable (`oci_spec.environment`).
    own["env"] = [*body.env, *(entry for entry in image.env if entry.partition("=")[0] not in named)]
    own["labels"] = {**image.labels, **body.labels}
    own["exposed_ports"] = {**image.exposed_ports, **body.exposed_ports}
    own["volumes"] = {**image.volumes, **body.volumes}
    own["user"] = body.user or image.user
    directory = body.working_dir or image.working_dir
    own["working_dir"] = os.path.normpath(directory) if directory else ""
    own["stop_signal"] = body.stop_signal or image.stop_signal
    own["stop_timeout"] = body.stop_timeout if body.stop_timeout is not None else image.stop_timeout
    own["healthcheck"] = _health(body.healthcheck, image.healthcheck)
    own["hostname"] = body.hostname or _hostname(body.host_config, key)
    if directory and not own["working_dir"].startswith("/"):
        raise InvalidInput(
            f"the working directory '{own['working_dir'][:100]}' is invalid, it needs to be an absolute path"
        )
    return ContainerConfig(**own)


def _words(value: list[str] | str | None) -> list[str] | None:
    return [value] if isinstance(value, str) else value


def _hostname(host: HostConfig, key: str) -> str:
    if host.uts_mode == "host" or host.network_mode == "host":
        return os.uname().nodename
    return key[:12]


def _health(own: HealthConfig | None, image: HealthConfig | None) -> HealthConfig | None:
    if own is None or image is None:
        return own or image
    if own.test:
        return own
    fields = ("interval", "timeout", "retries", "start_period", "start_interval")
    kept = {name: getattr(own, name) or getattr(image, name) for name in fields}
    return HealthConfig(test=image.test, **kept)


def check(body: CreateBody, processors: int) -> None:
    """Refuse invalid requests before anything is created.

    Raises:
        InvalidInput: A field is out of range, or two don't go together.
    """
    host = body.host_config
    resources.check(host, processors)
    modes.check(body)
    _check_rights(host)
    _check_devices(host)
    _check_ports(body)
    _check_health(body.healthcheck)
    check_restart(host)
    log_options.check(host.log_config)
    for entry in body.env:
        if not entry or entry.startswith("="):
            raise InvalidInput(f"invalid environment variable: {entry[:80]}")
    if body.stop_signal:
        signals.number(body.stop_signal)
    if len(body.hostname) > MAX_HOSTNAME_BYTES:
        raise InvalidInput("invalid hostname: longer than 64 bytes")


def requested_endpoints(body: CreateBody) -> dict[str, EndpointSettings | None]:
    """Return the requested networks, the main one with the hardware address that older clients send separately.

    Raises:
        InvalidInput: The two addresses differ.
    """
    endpoints = dict(body.networking_config.endpoints_config)
    mode = body.host_config.network_mode
    name = "bridge" if mode in {"", "default"} else mode
    if not body.mac_address or name in {"none", "host"} or name.startswith("container:"):
        return endpoints
    own = endpoints.get(name) or EndpointSettings()
    if own.mac_address and own.mac_address != body.mac_address:
        raise InvalidInput(
            "the container-wide MAC address should match the endpoint-specific MAC address for the main network or "
            "should be left empty"
        )
    return {name: own, **endpoints} | {name: msgspec.structs.replace(own, mac_address=body.mac_address)}


def warnings(body: CreateBody, version: tuple[int, int]) -> list[str]:
    """Return warnings about fields that have no effect, or a risk.

    Args:
        body: A creation that has been checked.
        version: The API version its client speaks.
    """
    host, texts = body.host_config, []
    if host.network_mode == "host" and (host.port_bindings or host.publish_all_ports):
        texts.append("Published ports are discarded when using host network mode")
    if body.mac_address and version >= (1, 44):
        texts.append(
            "The container-wide MacAddress field is now deprecated. It should be specified in EndpointsConfig instead."
        )
    if host.oom_kill_disable and not host.memory:
        texts.append(
            "OOM killer is disabled for the container, but no memory limit is set, this can result in the system "
            "running out of resources."
        )
    return texts


def _check_rights(host: HostConfig) -> None:
    capabilities.capabilities(add=host.cap_add, drop=host.cap_drop, privileged=host.privileged)
    profile = Security.parse(host.security_opt).seccomp
    if profile not in {"", "unconfined", "builtin"}:
        try:
            parsed = json.loads(profile)
        except ValueError as error:
            raise InvalidInput(f"opening seccomp profile failed: {error}") from error
        if not isinstance(parsed, dict) or not isinstance(parsed.get("defaultAction"), str):
            raise InvalidInput(
                "opening seccomp profile failed: it names no defaultAction",
                hint="SCMP_ACT_ERRNO refuses what isn't listed, SCMP_ACT_ALLOW lets it through",
            )


def _check_devices(host: HostConfig) -> None:
    for device in host.devices:
        if not device.path_on_host.startswith("/"):
            raise InvalidInput(f"invalid device: PathOnHost is {device.path_on_host[:60]!r}, not an absolute path")
        if not set(device.cgroup_permissions) <= set("rwm"):
            raise InvalidInput(f"invalid device mode: {device.cgroup_permissions[:20]!r} is not of r, w and m")


def _check_ports(body: CreateBody) -> None:
    for port in [*body.exposed_ports, *body.host_config.port_bindings]:
        parse_port(port)
    for bindings in body.host_config.port_bindings.values():
        for binding in bindings or []:
            _check_host_port(binding.host_port)


def _check_health(probe: HealthConfig | None) -> None:
    if probe is None:
        return
    for name in ("interval", "timeout", "start_period", "start_interval"):
        value = getattr(probe, name)
        if value and value < MIN_HEALTH_TIME_NS:
            raise InvalidInput(
                f"{name.replace('_', ' ').title().replace(' ', '')} in Healthcheck cannot be less than 1ms"
            )
    if probe.retries < 0:
        raise InvalidInput("Retries in Healthcheck cannot be negative")


def check_restart(host: HostConfig) -> None:
    """Check a restart policy.

    Raises:
        InvalidInput: It is unknown, or doesn't go with the rest.
    """
    policy = host.restart_policy
    if host.auto_remove and policy.name not in {"", "no"}:
        raise InvalidInput("can't create 'AutoRemove' container with restart policy")
    if policy.name not in {"", "no", "always", "unless-stopped", "on-failure"}:
        raise InvalidInput(
            f"invalid restart policy: unknown policy '{policy.name[:40]}'; use one of 'no', 'always', 'on-failure', or "
            "'unless-stopped'"
        )
    if policy.maximum_retry_count < 0:
        raise InvalidInput("invalid restart policy: maximum retry count cannot be negative")
    if policy.maximum_retry_count and policy.name != "on-failure":
        raise InvalidInput("invalid restart policy: maximum retry count can only be used with 'on-failure'")


def parse_port(text: str) -> tuple[int, str]:
    """Parse `80/tcp`.

    Raises:
        InvalidInput: It is no port.
    """
    match = _PORT.fullmatch(text)
    if match is None or match[2] or not 0 < int(match[1]) < 65536:
        raise InvalidInput(f'invalid port specification: "{text[:60]}"')
    return int(match[1]), match[3] or "tcp"


def _check_host_port(text: str) -> None:
    low, dash, high = text.partition("-")
    ends = [low, high] if dash else [low] if low else []
    for end in ends:
        if not end.isdecimal() or len(end) > 5 or int(end) > 65535:
            raise InvalidInput(f'invalid port specification: "{text[:60]}"')
    if dash and int(low) > int(high):
        raise InvalidInput(f'invalid port specification: "{text[:60]}"')
