"""What a service is asked to be: options to the Engine API's `ServiceSpec`."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click
import msgspec

from pyd_core.cliparse.durations import parse_duration
from pyd_core.cliparse.fields import parse_pairs, split_fields
from pyd_core.cliparse.limits import parse_cpus
from pyd_core.cliparse.mounts import parse_mounts
from pyd_core.cliparse.ports import parse_published
from pyd_core.cliparse.sizes import parse_size
from pyd_core.cliparse.variables import parse_variables
from pyd_core.errors import InvalidInput
from pyd_core.sanitise import safe

F = TypeVar("F", bound=Callable[..., Any])

SHARED_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option("--replicas", type=click.IntRange(min=0), metavar="N", help="How many tasks."),
    click.option("-w", "--workdir", default="", metavar="DIRECTORY", help="Run there."),
    click.option("-u", "--user", default="", metavar="USER[:GROUP]", help="Run as this user."),
    click.option("--hostname", default="", metavar="NAME", help="Host name of its tasks."),
    click.option("--limit-cpu", default="", metavar="NUMBER", help="Most processors of a task."),
    click.option("--limit-memory", default="", metavar="BYTES", help="Most memory of a task."),
    click.option("--limit-pids", type=int, default=0, metavar="N", help="Most processes of a task."),
    click.option("--reserve-cpu", default="", metavar="NUMBER", help="Processors a node must have free."),
    click.option("--reserve-memory", default="", metavar="BYTES", help="Memory a node must have free."),
    click.option(
        "--restart-condition", type=click.Choice(("none", "on-failure", "any")), help="When a task is replaced."
    ),
    click.option("--restart-delay", default="", metavar="TIME", help="How long after."),
    click.option("--restart-max-attempts", type=int, metavar="N", help="How often at most."),
    click.option("--stop-grace-period", default="", metavar="TIME", help="Grace until a task is killed."),
    click.option("--stop-signal", default="", metavar="SIGNAL", help="The signal that stops a task."),
    click.option("--update-parallelism", type=int, metavar="N", help="Tasks replaced at once; 0 is all."),
    click.option("--update-delay", default="", metavar="TIME", help="Time between them."),
    click.option("--update-order", type=click.Choice(("start-first", "stop-first")), help="Which comes first."),
    click.option(
        "--update-failure-action", type=click.Choice(("pause", "continue", "rollback")), help="What a failure does."
    ),
    click.option("-d", "--detach", is_flag=True, hidden=True, expose_value=False, help="As it is anyhow."),
    click.option("-q", "--quiet", is_flag=True, hidden=True, expose_value=False, help="As it is anyhow."),
    click.option("--with-registry-auth", is_flag=True, help="Have nodes pull with your login to the registry."),
    click.option("--health-cmd", default="", metavar="COMMAND", help="How to probe a task's health."),
    click.option("--health-interval", default="", metavar="TIME", help="Time between probes, such as 30s."),
    click.option("--health-timeout", default="", metavar="TIME", help="Time a probe may take."),
    click.option("--health-retries", type=int, metavar="N", help="Failures in a row until it is unhealthy."),
    click.option("--health-start-period", default="", metavar="TIME", help="Time in which failures don't count."),
    click.option("--health-start-interval", default="", metavar="TIME", help="Time between probes in it."),
    click.option("--no-healthcheck", is_flag=True, help="Not even the image's."),
)
"""What can be said of a new service and of one that is changed."""


def shared_options(command: F) -> F:
    """Gives a verb the options that `service create` and `update` share."""
    for option in reversed(SHARED_OPTIONS):
        command = option(command)
    return command


def apply_shared(spec: dict[str, Any], given: Mapping[str, Any]) -> None:
    """Writes what was given into a spec, in place.

    Raises:
        InvalidInput: An option can't be read, or the service has no number of replicas.
    """
    template = spec.setdefault("TaskTemplate", {})
    container = template.setdefault("ContainerSpec", {})
    if given["replicas"] is not None:
        mode = spec.setdefault("Mode", {"Replicated": {}})
        if "Replicated" not in mode:
            raise InvalidInput("--replicas is for replicated services only")
        mode["Replicated"]["Replicas"] = given["replicas"]
    for name, field in (("workdir", "Dir"), ("user", "User"), ("hostname", "Hostname"), ("stop_signal", "StopSignal")):
        if given[name]:
            container[field] = given[name]
    if given["stop_grace_period"]:
        container["StopGracePeriod"] = parse_duration(given["stop_grace_period"])
    _health(container, given)
    _resources(template, given)
    _timing(spec, template, given)


def _health(container: dict[str, Any], given: Mapping[str, Any]) -> None:
    """Write the health probe; what isn't given stays as it is."""
    healthcheck: dict[str, Any] = {
        field: parse_duration(given[f"health_{name}"])
        for name, field in _HEALTH_TIMES.items()
        if given[f"health_{name}"]
    }
    if given["health_retries"] is not None:
        healthcheck["Retries"] = given["health_retries"]
    if given["health_cmd"]:
        healthcheck["Test"] = ["CMD-SHELL", given["health_cmd"]]
    if given["no_healthcheck"]:
        if healthcheck:
            raise InvalidInput("--no-healthcheck conflicts with --health-* options")
        container["Healthcheck"] = {"Test": ["NONE"]}
    elif healthcheck:
        known = container.get("Healthcheck") or {}
        if known.get("Test") == ["NONE"]:
            known = {}
        container["Healthcheck"] = known | healthcheck


_HEALTH_TIMES = {
    "interval": "Interval",
    "timeout": "Timeout",
    "start_period": "StartPeriod",
    "start_interval": "StartInterval",
}


def _resources(template: dict[str, Any], given: Mapping[str, Any]) -> None:
    for part, cpu, memory in (
        ("Limits", given["limit_cpu"], given["limit_memory"]),
        ("Reservations", given["reserve_cpu"], given["reserve_memory"]),
    ):
        amounts: dict[str, int] = {}
        if cpu:
            amounts["NanoCPUs"] = parse_cpus(cpu)
        if memory:
            amounts["MemoryBytes"] = parse_size(memory)
        if part == "Limits" and given["limit_pids"]:
            amounts["Pids"] = given["limit_pids"]
        if amounts:
            template.setdefault("Resources", {}).setdefault(part, {}).update(amounts)


def _timing(spec: dict[str, Any], template: dict[str, Any], given: Mapping[str, Any]) -> None:
    restart = {
        "Condition": given["restart_condition"],
        "Delay": parse_duration(given["restart_delay"]) if given["restart_delay"] else None,
        "MaxAttempts": given["restart_max_attempts"],
    }
    changing = {
        "Parallelism": given["update_parallelism"],
        "Delay": parse_duration(given["update_delay"]) if given["update_delay"] else None,
        "Order": given["update_order"],
        "FailureAction": given["update_failure_action"],
    }
    for owner, name, values in ((template, "RestartPolicy", restart), (spec, "UpdateConfig", changing)):
        chosen = {field: value for field, value in values.items() if value is not None}
        if chosen:
            owner.setdefault(name, {}).update(chosen)


def new_spec(given: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the spec of a new service.

    Raises:
        InvalidInput: An option can't be read.
    """
    container: dict[str, Any] = {
        "Image": given["image"],
        "Args": list(given["command"]) or None,
        "Command": [given["entrypoint"]] if given["entrypoint"] else None,
        "Env": parse_variables(given["env"], given["env_file"], os.environ) or None,
        "Labels": parse_pairs(given["container_labels"]) or None,
        "Mounts": msgspec.to_builtins(parse_mounts(given["mounts"])) or None,
        "Init": given["init"] or None,
        "TTY": given["tty"],
        "ReadOnly": given["read_only"],
        "CapabilityAdd": list(given["cap_add"]) or None,
        "CapabilityDrop": list(given["cap_drop"]) or None,
    }
    networks = [{"Target": name} for name in given["networks"]] or None
    spec: dict[str, Any] = {
        "Name": given["name"],
        "Labels": parse_pairs(given["labels"]),
        "TaskTemplate": {
            "ContainerSpec": {name: value for name, value in container.items() if value not in (None, False)},
            "Networks": networks,
            "Placement": {"Constraints": list(given["constraints"]) or None},
        },
        "Mode": {"Global": {}} if given["mode"] == "global" else {"Replicated": {"Replicas": 1}},
        "EndpointSpec": {"Mode": given["endpoint_mode"], "Ports": parse_ports(given["publish"])},
    }
    apply_shared(spec, given)
    return spec


def parse_ports(texts: tuple[str, ...]) -> list[dict[str, Any]]:
    """Returns published ports as a service has them.

    Raises:
        InvalidInput: One can't be read, or names an address: a service is published on every node.
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
                    raise InvalidInput(f"a service can't be published so: {safe(text)}", hint="write PUBLISHED:TARGET")
                ports.append(
                    {
                        "Protocol": protocol,
                        "TargetPort": int(target),
                        "PublishedPort": int(binding.host_port or 0),
                        "PublishMode": mode,
                    }
                )
    return ports
