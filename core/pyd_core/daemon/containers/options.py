"""Creating a container: what the request asks for, checked and merged with what its image says."""

from __future__ import annotations

import json
import os
import re
from typing import Any

import msgspec

from pyd_core.daemon.containers import log_options, resources, rights, signals
from pyd_core.daemon.containers.spec import Security
from pyd_core.errors import InvalidInput
from pyd_core.model.container_config import ContainerConfig, HealthConfig
from pyd_core.model.creation import CreateBody
from pyd_core.model.host_config import HostConfig

_PORT = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?(?:/(tcp|udp|sctp))?")
LONGEST_HOSTNAME = 64
"""Bytes, see sethostname(2)."""
LEAST_HEALTH_TIME = 1_000_000
"""Nanoseconds; a shorter interval is a mistake of units."""


def merged(body: CreateBody, image: ContainerConfig, key: str) -> ContainerConfig:
    """Lays the request over the image's configuration.

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
    # A name without a value stays to be seen: it takes the image's variable away (`spec.environment`).
    own["env"] = [*body.env, *(entry for entry in image.env if entry.partition("=")[0] not in named)]
    own["labels"] = {**image.labels, **body.labels}
    own["exposed_ports"] = {**image.exposed_ports, **body.exposed_ports}
    own["volumes"] = {**image.volumes, **body.volumes}
    own["user"] = body.user or image.user
    own["working_dir"] = os.path.normpath(body.working_dir or image.working_dir or "/")
    own["stop_signal"] = body.stop_signal or image.stop_signal
    own["stop_timeout"] = body.stop_timeout if body.stop_timeout is not None else image.stop_timeout
    own["healthcheck"] = _health(body.healthcheck, image.healthcheck)
    own["hostname"] = body.hostname or _hostname(body.host_config, key)
    if not own["working_dir"].startswith("/"):
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
    """Refuses what makes no sense before anything is made.

    Raises:
        InvalidInput: A field is out of range, or two don't go together.
    """
    host = body.host_config
    resources.check(host, processors)
    _check_rights(host)
    _check_ports(body)
    _check_health(body.healthcheck)
    _check_restart(host)
    log_options.check(host.log_config)
    for entry in body.env:
        if not entry or entry.startswith("="):
            raise InvalidInput(f"invalid environment variable: {entry[:80]}")
    if body.stop_signal:
        signals.number(body.stop_signal)
    if host.network_mode.startswith("container:") and body.hostname:
        raise InvalidInput("conflicting options: hostname and the network mode")
    if len(body.hostname) > LONGEST_HOSTNAME:
        raise InvalidInput("invalid hostname: longer than 64 bytes")
    for rule in host.extra_hosts:
        name, _, address = rule.partition(":")
        if not name or not address:
            raise InvalidInput(f"bad format for add-host: {rule[:80]!r}")


def _check_rights(host: HostConfig) -> None:
    rights.capabilities(add=host.cap_add, drop=host.cap_drop, privileged=host.privileged)
    profile = Security.parse(host.security_opt).seccomp
    if profile not in {"", "unconfined", "builtin"}:
        try:
            json.loads(profile)
        except ValueError as error:
            raise InvalidInput(f"opening seccomp profile failed: {error}") from error


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
        if value and value < LEAST_HEALTH_TIME:
            raise InvalidInput(f"{name.replace('_', ' ').title()} in Healthcheck cannot be less than 1ms")
    if probe.retries < 0:
        raise InvalidInput("Retries in Healthcheck cannot be negative")


def _check_restart(host: HostConfig) -> None:
    policy = host.restart_policy
    if host.auto_remove and policy.name not in {"", "no"}:
        raise InvalidInput("can't create 'AutoRemove' container with restart policy")
    if policy.name not in {"", "no", "always", "unless-stopped", "on-failure"}:
        raise InvalidInput(f"invalid restart policy: unknown policy '{policy.name[:40]}'")
    if policy.maximum_retry_count < 0:
        raise InvalidInput("invalid restart policy: maximum retry count cannot be negative")
    if policy.maximum_retry_count and policy.name != "on-failure":
        raise InvalidInput("invalid restart policy: maximum retry count can only be used with 'on-failure'")


def parse_port(text: str) -> tuple[int, str]:
    """Reads `80/tcp`.

    Raises:
        InvalidInput: It is no port.
    """
    match = _PORT.fullmatch(text)
    if match is None or match[2] or not 0 < int(match[1]) < 65536:
        raise InvalidInput(f"invalid port specification: {text[:60]!r}")
    return int(match[1]), match[3] or "tcp"


def _check_host_port(text: str) -> None:
    low, dash, high = text.partition("-")
    ends = [low, high] if dash else [low] if low else []
    for end in ends:
        if not end.isdecimal() or int(end) > 65535:
            raise InvalidInput(f"invalid port specification: {text[:60]!r}")
