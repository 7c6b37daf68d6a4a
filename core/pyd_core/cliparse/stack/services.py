"""Services of a Compose file as `ServiceSpec`s of the Engine API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyd_core.cliparse.ports import parse_published
from pyd_core.cliparse.stack import fields
from pyd_core.cliparse.stack.container_spec import container_spec
from pyd_core.cliparse.stack.engine_names import EngineNames
from pyd_core.errors import InvalidInput
from pyd_core.sanitise import safe

NAMESPACE_LABEL = "com.docker.stack.namespace"
IMAGE_LABEL = "com.docker.stack.image"
"""Label with the image as the file names it; the engine's name for it includes a digest."""

IGNORED_FIELDS = frozenset(
    {
        *("build", "cgroup_parent", "container_name", "depends_on", "devices", "expose", "external_links", "ipc"),
        *("links", "mac_address", "network_mode", "pid", "privileged", "profiles", "security_opt", "shm_size"),
        *("userns_mode", "platform", "pull_policy", "runtime", "isolation", "domainname"),
    }
)
"""Fields that swarms ignore, with a warning, as in the docker CLI."""

_KNOWN_FIELDS = IGNORED_FIELDS | {
    *("cap_add", "cap_drop", "command", "configs", "deploy", "dns", "dns_opt", "dns_search", "entrypoint", "env_file"),
    *("environment", "extra_hosts", "healthcheck", "hostname", "image", "init", "labels", "logging", "networks"),
    *("ports", "read_only", "restart", "secrets", "stdin_open", "stop_grace_period", "stop_signal", "sysctls"),
    *("tmpfs", "tty", "ulimits", "user", "volumes", "working_dir"),
}


def service_spec(
    name: str, service: Mapping[str, Any], names: EngineNames, environ: Mapping[str, str]
) -> dict[str, Any]:
    """Return the specification of a service; secrets and configs have names instead of ids.

    Raises:
        InvalidInput: A field is unknown or can't be read.
        NotFound: A file of variables is missing.
    """
    where = f"services.{safe(name)}"
    fields.check_known(service, _KNOWN_FIELDS, where)
    image = service.get("image")
    if not isinstance(image, str) or not image:
        raise InvalidInput(f"{where} has no image", hint="a swarm doesn't build images: build, push and name one")
    deploy = fields.mapping(service.get("deploy"), f"{where}.deploy")
    stack_labels = {NAMESPACE_LABEL: names.stack}
    spec: dict[str, Any] = _without_unset(
        {
            "Name": f"{names.stack}_{name}",
            "Labels": {
                **stack_labels,
                IMAGE_LABEL: image,
                **fields.labels(deploy.get("labels"), f"{where}.deploy.labels"),
            },
            "TaskTemplate": {
                "ContainerSpec": container_spec(service, names, environ, where, stack_labels),
                "LogDriver": _log_driver(service.get("logging"), where),
                "Resources": _resources(fields.mapping(deploy.get("resources"), f"{where}.deploy.resources"), where),
                "RestartPolicy": _restart_policy(deploy.get("restart_policy"), service.get("restart"), where),
                "Placement": _placement(fields.mapping(deploy.get("placement"), f"{where}.deploy.placement"), where),
                "Networks": _networks(name, service.get("networks"), names, where),
            },
            "Mode": _mode(deploy, where),
            "UpdateConfig": _update_config(deploy.get("update_config"), f"{where}.deploy.update_config"),
            "RollbackConfig": _update_config(deploy.get("rollback_config"), f"{where}.deploy.rollback_config"),
            "EndpointSpec": {
                "Mode": deploy.get("endpoint_mode") or "vip",
                "Ports": _ports(service.get("ports"), where),
            },
        }
    )
    return spec


def _without_unset(value: Any) -> Any:
    """Remove unset fields at any depth; `Global: {}` is a value."""
    if not isinstance(value, dict):
        return value
    fields_ = {key: _without_unset(item) for key, item in value.items() if item is not None}
    return {
        key: item for key, item in fields_.items() if item not in ([], {}) or key in {"Global", "GlobalJob", "Mode"}
    }


def _log_driver(value: Any, where: str) -> dict[str, Any] | None:
    section = fields.mapping(value, f"{where}.logging")
    if not section:
        return None
    return {"Name": section.get("driver"), "Options": fields.labels(section.get("options"), f"{where}.logging.options")}


def _resources(section: Mapping[str, Any], where: str) -> dict[str, Any]:
    resources: dict[str, Any] = {}
    for part, field in (("limits", "Limits"), ("reservations", "Reservations")):
        where_part = f"{where}.deploy.resources.{part}"
        amounts = fields.mapping(section.get(part), where_part)
        fields.check_known(amounts, frozenset({"cpus", "memory", "pids", "generic_resources", "devices"}), where_part)
        resources[field] = {
            "NanoCPUs": None if amounts.get("cpus") is None else fields.cpus(amounts["cpus"]),
            "MemoryBytes": None if amounts.get("memory") is None else fields.size(amounts["memory"]),
            "Pids": None if amounts.get("pids") is None else fields.number(amounts["pids"], where_part),
        }
    return resources


def _restart_policy(policy: Any, restart: Any, where: str) -> dict[str, Any] | None:
    where_policy = f"{where}.deploy.restart_policy"
    section = fields.mapping(policy, where_policy)
    if not section:
        word, _, times = fields.text(restart or "").partition(":")
        if word in {"always", "unless-stopped"}:
            return {"Condition": "any"}
        if word == "on-failure":
            max_attempts = fields.number(times, f"{where}.restart") if times else None
            return {"Condition": "on-failure", "MaxAttempts": max_attempts}
        return {"Condition": "none"} if word == "no" else None
    fields.check_known(section, frozenset({"condition", "delay", "max_attempts", "window"}), where_policy)
    return {
        "Condition": section.get("condition"),
        "Delay": None if section.get("delay") is None else fields.duration(section["delay"], f"{where_policy}.delay"),
        "MaxAttempts": None
        if section.get("max_attempts") is None
        else fields.number(section["max_attempts"], where_policy),
        "Window": None
        if section.get("window") is None
        else fields.duration(section["window"], f"{where_policy}.window"),
    }


def _placement(section: Mapping[str, Any], where: str) -> dict[str, Any]:
    where_placement = f"{where}.deploy.placement"
    fields.check_known(section, frozenset({"constraints", "preferences", "max_replicas_per_node"}), where_placement)
    return {
        "Constraints": fields.text_list(section.get("constraints"), f"{where_placement}.constraints"),
        "Preferences": [
            {"Spread": {"SpreadDescriptor": fields.mapping(preference, where_placement).get("spread")}}
            for preference in section.get("preferences") or []
        ],
        "MaxReplicas": section.get("max_replicas_per_node"),
    }


def _networks(name: str, value: Any, names: EngineNames, where: str) -> list[dict[str, Any]]:
    section = value if isinstance(value, dict) else dict.fromkeys(fields.text_list(value, f"{where}.networks"))
    networks = []
    for network, settings in (section or {"default": None}).items():
        aliases = fields.text_list(fields.mapping(settings, f"{where}.networks").get("aliases"), f"{where}.networks")
        target = names.resolve("networks", str(network), f"{where}.networks")
        networks.append({"Target": target, "Aliases": [*aliases, name]})
    return sorted(networks, key=lambda attachment: str(attachment["Target"]))


def _mode(deploy: Mapping[str, Any], where: str) -> dict[str, Any]:
    replicas = deploy.get("replicas")
    count = None if replicas is None else fields.number(replicas, f"{where}.deploy.replicas")
    match deploy.get("mode") or "replicated":
        case "replicated":
            return {"Replicated": {"Replicas": 1 if count is None else count}}
        case "global" if count is None:
            return {"Global": {}}
        case "global":
            raise InvalidInput(f"{where} is global and has no number of replicas")
        case other:
            raise InvalidInput(f"{where}.deploy.mode is not supported: {safe(str(other))}")


def _update_config(value: Any, where: str) -> dict[str, Any] | None:
    section = fields.mapping(value, where)
    if not section:
        return None
    fields.check_known(
        section, frozenset({"parallelism", "delay", "failure_action", "monitor", "max_failure_ratio", "order"}), where
    )
    return {
        "Parallelism": fields.number(section.get("parallelism", 1), f"{where}.parallelism"),
        "Delay": None if section.get("delay") is None else fields.duration(section["delay"], f"{where}.delay"),
        "FailureAction": section.get("failure_action"),
        "Monitor": None if section.get("monitor") is None else fields.duration(section["monitor"], f"{where}.monitor"),
        "MaxFailureRatio": section.get("max_failure_ratio"),
        "Order": section.get("order"),
    }


def _ports(value: Any, where: str) -> list[dict[str, Any]]:
    ports = []
    for item in value or []:
        if isinstance(item, dict):
            section = fields.mapping(item, f"{where}.ports")
            port = {
                "Protocol": section.get("protocol") or "tcp",
                "TargetPort": fields.number(section.get("target"), f"{where}.ports"),
                "PublishedPort": None
                if section.get("published") is None
                else fields.number(section["published"], f"{where}.ports"),
                "PublishMode": section.get("mode") or "ingress",
            }
            ports.append({key: setting for key, setting in port.items() if setting is not None})
            continue
        for container_port, bindings in parse_published([fields.text(item)]).items():
            target, _, protocol = container_port.partition("/")
            for binding in bindings or []:
                port = {"Protocol": protocol, "TargetPort": int(target), "PublishMode": "ingress"}
                ports.append(port | ({"PublishedPort": int(binding.host_port)} if binding.host_port else {}))
    return sorted(ports, key=lambda port: (int(port.get("PublishedPort", 0)), int(port["TargetPort"])))
