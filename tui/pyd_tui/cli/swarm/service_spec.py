"""Specs of services: the Engine API's `ServiceSpec` for the options of `pyd service`."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar

import click
import msgspec

from pyd_core.cliparse.fields import parse_pairs, split_fields
from pyd_core.cliparse.limits import parse_cpus
from pyd_core.cliparse.mounts import parse_mounts
from pyd_core.cliparse.ports import parse_published
from pyd_core.cliparse.variables import parse_variables
from pyd_core.errors import InvalidInput
from pyd_core.gosyntax.durations import parse_duration
from pyd_core.gosyntax.sizes import parse_size
from pyd_core.sanitise import safe

F = TypeVar("F", bound=Callable[..., Any])

SHARED_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option("--replicas", type=click.IntRange(min=0), metavar="N", help="Number of tasks."),
    click.option("-w", "--workdir", default="", metavar="DIRECTORY", help="Working directory."),
    click.option("-u", "--user", default="", metavar="USER[:GROUP]", help="User to run as."),
    click.option("--hostname", default="", metavar="NAME", help="Host name of tasks."),
    click.option("--limit-cpu", default="", metavar="NUMBER", help="CPU limit of a task."),
    click.option("--limit-memory", default="", metavar="BYTES", help="Memory limit of a task."),
    click.option("--limit-pids", type=int, default=0, metavar="N", help="Process limit of a task."),
    click.option("--reserve-cpu", default="", metavar="NUMBER", help="CPUs to reserve on a node."),
    click.option("--reserve-memory", default="", metavar="BYTES", help="Memory to reserve on a node."),
    click.option(
        "--restart-condition", type=click.Choice(("none", "on-failure", "any")), help="When to restart tasks."
    ),
    click.option("--restart-delay", default="", metavar="TIME", help="Delay between restarts."),
    click.option("--restart-max-attempts", type=int, metavar="N", help="Maximum number of restarts."),
    click.option("--stop-grace-period", default="", metavar="TIME", help="Time to wait before a task is killed."),
    click.option("--stop-signal", default="", metavar="SIGNAL", help="Signal to stop tasks."),
    click.option("--update-parallelism", type=int, metavar="N", help="Tasks updated simultaneously; 0 is all."),
    click.option("--update-delay", default="", metavar="TIME", help="Delay between updates."),
    click.option("--update-order", type=click.Choice(("start-first", "stop-first")), help="Update order."),
    click.option(
        "--update-failure-action",
        type=click.Choice(("pause", "continue", "rollback")),
        help="Action on update failure.",
    ),
    click.option("-d", "--detach", is_flag=True, hidden=True, expose_value=False, help="No effect: always on."),
    click.option("-q", "--quiet", is_flag=True, hidden=True, expose_value=False, help="No effect: always on."),
    click.option("--with-registry-auth", is_flag=True, help="Send registry credentials to the nodes."),
    click.option("--health-cmd", default="", metavar="COMMAND", help="Command to check the health of tasks."),
    click.option("--health-interval", default="", metavar="TIME", help="Time between checks, such as 30s."),
    click.option("--health-timeout", default="", metavar="TIME", help="Maximum time of a check."),
    click.option("--health-retries", type=int, metavar="N", help="Consecutive failures that make a task unhealthy."),
    click.option(
        "--health-start-period", default="", metavar="TIME", help="Start period in which failures don't count."
    ),
    click.option(
        "--health-start-interval", default="", metavar="TIME", help="Time between checks during the start period."
    ),
    click.option("--no-healthcheck", is_flag=True, help="Disable the health check of the image."),
)
"""The options of `service create` and `service update`."""


def shared_options(command: F) -> F:
    """Add the options that `service create` and `update` share to a command."""
    for option in reversed(SHARED_OPTIONS):
        command = option(command)
    return command


class ServiceOptions(msgspec.Struct, frozen=True, kw_only=True):
    """The options that `service create` and `update` share; empty ones leave the spec as it is."""

    replicas: int | None
    workdir: str
    user: str
    hostname: str
    limit_cpu: str
    limit_memory: str
    limit_pids: int
    reserve_cpu: str
    reserve_memory: str
    restart_condition: str | None
    restart_delay: str
    restart_max_attempts: int | None
    stop_grace_period: str
    stop_signal: str
    update_parallelism: int | None
    update_delay: str
    update_order: str | None
    update_failure_action: str | None
    with_registry_auth: bool
    health_cmd: str
    health_interval: str
    health_timeout: str
    health_retries: int | None
    health_start_period: str
    health_start_interval: str
    no_healthcheck: bool


class ServiceCreateOptions(ServiceOptions, frozen=True, kw_only=True):
    """The options of `service create`."""

    image: str
    command: tuple[str, ...]
    name: str
    mode: str
    env: tuple[str, ...]
    env_file: tuple[str, ...]
    publish: tuple[str, ...]
    endpoint_mode: str
    mounts: tuple[str, ...]
    secrets: tuple[str, ...]
    configs: tuple[str, ...]
    networks: tuple[str, ...]
    constraints: tuple[str, ...]
    labels: tuple[str, ...]
    container_labels: tuple[str, ...]
    entrypoint: str
    init: bool
    tty: bool
    read_only: bool
    cap_add: tuple[str, ...]
    cap_drop: tuple[str, ...]


def apply_shared(spec: dict[str, Any], options: ServiceOptions) -> None:
    """Write the shared options into a spec, in place.

    Raises:
        InvalidInput: An option is malformed, or replicas are set for a global service.
    """
    template = spec.setdefault("TaskTemplate", {})
    container = template.setdefault("ContainerSpec", {})
    if options.replicas is not None:
        mode = spec.setdefault("Mode", {"Replicated": {}})
        if "Replicated" not in mode:
            raise InvalidInput("--replicas only applies to replicated services")
        mode["Replicated"]["Replicas"] = options.replicas
    fields = {
        "Dir": options.workdir,
        "User": options.user,
        "Hostname": options.hostname,
        "StopSignal": options.stop_signal,
    }
    container.update({field: value for field, value in fields.items() if value})
    if options.stop_grace_period:
        container["StopGracePeriod"] = parse_duration(options.stop_grace_period)
    _health(container, options)
    _resources(template, options)
    _timing(spec, template, options)


def _health(container: dict[str, Any], options: ServiceOptions) -> None:
    """Write the health probe into a container spec; fields without an option stay as they are."""
    times = {
        "Interval": options.health_interval,
        "Timeout": options.health_timeout,
        "StartPeriod": options.health_start_period,
        "StartInterval": options.health_start_interval,
    }
    healthcheck: dict[str, Any] = {field: parse_duration(text) for field, text in times.items() if text}
    if options.health_retries is not None:
        healthcheck["Retries"] = options.health_retries
    if options.health_cmd:
        healthcheck["Test"] = ["CMD-SHELL", options.health_cmd]
    if options.no_healthcheck:
        if healthcheck:
            raise InvalidInput("--no-healthcheck conflicts with --health-* options")
        container["Healthcheck"] = {"Test": ["NONE"]}
    elif healthcheck:
        present = container.get("Healthcheck") or {}
        if present.get("Test") == ["NONE"]:
            present = {}
        container["Healthcheck"] = present | healthcheck


def _resources(template: dict[str, Any], options: ServiceOptions) -> None:
    for kind, cpu, memory in (
        ("Limits", options.limit_cpu, options.limit_memory),
        ("Reservations", options.reserve_cpu, options.reserve_memory),
    ):
        amounts: dict[str, int] = {}
        if cpu:
            amounts["NanoCPUs"] = parse_cpus(cpu)
        if memory:
            amounts["MemoryBytes"] = parse_size(memory)
        if kind == "Limits" and options.limit_pids:
            amounts["Pids"] = options.limit_pids
        if amounts:
            template.setdefault("Resources", {}).setdefault(kind, {}).update(amounts)


def _timing(spec: dict[str, Any], template: dict[str, Any], options: ServiceOptions) -> None:
    restart = {
        "Condition": options.restart_condition,
        "Delay": parse_duration(options.restart_delay) if options.restart_delay else None,
        "MaxAttempts": options.restart_max_attempts,
    }
    update = {
        "Parallelism": options.update_parallelism,
        "Delay": parse_duration(options.update_delay) if options.update_delay else None,
        "Order": options.update_order,
        "FailureAction": options.update_failure_action,
    }
    for owner, name, values in ((template, "RestartPolicy", restart), (spec, "UpdateConfig", update)):
        changes = {field: value for field, value in values.items() if value is not None}
        if changes:
            owner.setdefault(name, {}).update(changes)


def new_spec(options: ServiceCreateOptions) -> dict[str, Any]:
    """Return the spec of a new service.

    Raises:
        InvalidInput: An option is malformed.
    """
    container: dict[str, Any] = {
        "Image": options.image,
        "Args": list(options.command) or None,
        "Command": [options.entrypoint] if options.entrypoint else None,
        "Env": parse_variables(options.env, options.env_file, os.environ) or None,
        "Labels": parse_pairs(options.container_labels) or None,
        "Mounts": msgspec.to_builtins(parse_mounts(options.mounts)) or None,
        "Init": options.init or None,
        "TTY": options.tty,
        "ReadOnly": options.read_only,
        "CapabilityAdd": list(options.cap_add) or None,
        "CapabilityDrop": list(options.cap_drop) or None,
    }
    networks = [{"Target": name} for name in options.networks] or None
    spec: dict[str, Any] = {
        "Name": options.name,
        "Labels": parse_pairs(options.labels),
        "TaskTemplate": {
            "ContainerSpec": {name: value for name, value in container.items() if value not in (None, False)},
            "Networks": networks,
            "Placement": {"Constraints": list(options.constraints) or None},
        },
        "Mode": {"Global": {}} if options.mode == "global" else {"Replicated": {"Replicas": 1}},
        "EndpointSpec": {"Mode": options.endpoint_mode, "Ports": parse_ports(options.publish)},
    }
    apply_shared(spec, options)
    return spec


def parse_ports(texts: tuple[str, ...]) -> list[dict[str, Any]]:
    """Return published ports for a service's spec.

    Raises:
        InvalidInput: A port is malformed, or names a host address: services are published on all nodes.
    """
    ports = []
    for text in texts:
        mode = "ingress"
        if "=" in text:
            mode = parse_pairs(split_fields(text)).get("mode") or mode
        for inside, bindings in parse_published([text]).items():
            target, _, protocol = inside.partition("/")
            for binding in bindings or []:
                if binding.host_ip or "-" in binding.host_port:
                    raise InvalidInput(f"can't publish a service this way: {safe(text)}", hint="write PUBLISHED:TARGET")
                ports.append(
                    {
                        "Protocol": protocol,
                        "TargetPort": int(target),
                        "PublishedPort": int(binding.host_port or 0),
                        "PublishMode": mode,
                    }
                )
    return ports
