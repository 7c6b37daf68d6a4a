"""Services of a Compose file as `ServiceSpec`s of the Engine API."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyd_core.cliparse.ports import parse_published
from pyd_core.cliparse.stack import fields
from pyd_core.cliparse.variables import parse_variables
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


@dataclass(frozen=True, kw_only=True)
class EngineNames:
    """Names on the engine of the objects that a file declares.

    Attributes:
        stack: The stack.
        directory: The directory that relative paths start from.
        networks: Names on the engine, by name in the file; the same holds for volumes, secrets and configs.
    """

    stack: str
    directory: Path
    networks: Mapping[str, str]
    volumes: Mapping[str, str]
    secrets: Mapping[str, str]
    configs: Mapping[str, str]
    drivers: Mapping[str, dict[str, Any]]
    """Driver and options of volumes that set any."""

    def resolve(self, kind: str, name: str, where: str) -> str:
        """Return the name of a network, volume, secret or config on the engine.

        Raises:
            InvalidInput: The file declares no such object.
        """
        engine_name = getattr(self, kind).get(name)
        if engine_name is None:
            raise InvalidInput(f"{where} names {safe(name)!r}, which is not in the file's {kind}")
        return str(engine_name)


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
                "ContainerSpec": _container_spec(service, names, environ, where, stack_labels),
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


def _container_spec(
    service: Mapping[str, Any],
    names: EngineNames,
    environ: Mapping[str, str],
    where: str,
    stack_labels: Mapping[str, str],
) -> dict[str, Any]:
    grace = service.get("stop_grace_period")
    dns = {
        "Nameservers": fields.text_list(service.get("dns"), f"{where}.dns"),
        "Search": fields.text_list(service.get("dns_search"), f"{where}.dns_search"),
        "Options": fields.text_list(service.get("dns_opt"), f"{where}.dns_opt"),
    }
    return {
        "Image": service["image"],
        "Command": fields.split_command(service.get("entrypoint"), f"{where}.entrypoint"),
        "Args": fields.split_command(service.get("command"), f"{where}.command"),
        "Env": _variables(service, names, environ, where),
        "Labels": {**fields.labels(service.get("labels"), f"{where}.labels"), **stack_labels},
        "Hostname": service.get("hostname"),
        "Dir": service.get("working_dir"),
        "User": None if service.get("user") is None else fields.text(service["user"]),
        "TTY": service.get("tty") or None,
        "OpenStdin": service.get("stdin_open") or None,
        "ReadOnly": service.get("read_only") or None,
        "Init": service.get("init"),
        "StopSignal": service.get("stop_signal"),
        "StopGracePeriod": None if grace is None else fields.duration(grace, f"{where}.stop_grace_period"),
        "Hosts": _hosts(service.get("extra_hosts"), where),
        "DNSConfig": {key: item for key, item in dns.items() if item},
        "CapabilityAdd": _capabilities(service.get("cap_add"), f"{where}.cap_add"),
        "CapabilityDrop": _capabilities(service.get("cap_drop"), f"{where}.cap_drop"),
        "Sysctls": fields.labels(service.get("sysctls"), f"{where}.sysctls"),
        "Ulimits": _ulimits(service.get("ulimits"), where),
        "Healthcheck": _health(service.get("healthcheck"), where),
        "Mounts": _mounts(service, names, where),
        "Secrets": _file_references("Secret", service.get("secrets"), names, where),
        "Configs": _file_references("Config", service.get("configs"), names, where),
    }


def _capabilities(value: Any, where: str) -> list[str]:
    names = (name.upper() for name in fields.text_list(value, where))
    return sorted(name if name == "ALL" or name.startswith("CAP_") else f"CAP_{name}" for name in names)


def _variables(service: Mapping[str, Any], names: EngineNames, environ: Mapping[str, str], where: str) -> list[str]:
    files = [str(names.directory / path) for path in fields.text_list(service.get("env_file"), f"{where}.env_file")]
    variables: dict[str, str | None] = fields.assignments(parse_variables((), files, environ), where)
    variables |= fields.assignments(service.get("environment"), f"{where}.environment")
    resolved = {name: environ.get(name) if value is None else value for name, value in variables.items()}
    return [f"{name}={value}" for name, value in resolved.items() if value is not None]


def _hosts(value: Any, where: str) -> list[str]:
    if isinstance(value, dict):
        value = [f"{name}:{address}" for name, address in value.items()]
    split = (item.partition("=" if "=" in item else ":") for item in fields.text_list(value, f"{where}.extra_hosts"))
    return [f"{address} {name}" for name, _, address in split]


def _ulimits(value: Any, where: str) -> list[dict[str, Any]]:
    ulimits = []
    for name, item in fields.mapping(value, f"{where}.ulimits").items():
        where_limit = f"{where}.ulimits.{safe(name)}"
        both = item if isinstance(item, dict) else {"soft": item, "hard": item}
        ulimits.append(
            {
                "Name": name,
                "Soft": fields.number(both.get("soft"), where_limit),
                "Hard": fields.number(both.get("hard"), where_limit),
            }
        )
    return ulimits


def _health(value: Any, where: str) -> dict[str, Any] | None:
    where_health = f"{where}.healthcheck"
    section = fields.mapping(value, where_health)
    if not section:
        return None
    fields.check_known(
        section,
        frozenset({"test", "interval", "timeout", "retries", "start_period", "start_interval", "disable"}),
        where_health,
    )
    if section.get("disable"):
        return {"Test": ["NONE"]}
    test = section.get("test")
    names = {"Interval": "interval", "Timeout": "timeout", "StartPeriod": "start_period"}
    names["StartInterval"] = "start_interval"
    times = {
        field: fields.duration(section[key], f"{where_health}.{key}")
        for field, key in names.items()
        if section.get(key) is not None
    }
    retries = (
        {}
        if section.get("retries") is None
        else {"Retries": fields.number(section["retries"], f"{where_health}.retries")}
    )
    probe = (
        {}
        if test is None
        else {"Test": ["CMD-SHELL", test] if isinstance(test, str) else fields.text_list(test, where_health)}
    )
    return {**probe, **times, **retries}


def _mounts(service: Mapping[str, Any], names: EngineNames, where: str) -> list[dict[str, Any]]:
    mounts = []
    volumes = service.get("volumes") or []
    if not isinstance(volumes, list):
        raise InvalidInput(f"{where}.volumes must be a list")
    for item in volumes:
        long = _long_mount(fields.text(item)) if not isinstance(item, dict) else fields.mapping(item, where)
        mounts.append(_mount(long, names, f"{where}.volumes"))
    tmpfs = fields.text_list(service.get("tmpfs"), f"{where}.tmpfs")
    return mounts + [{"Type": "tmpfs", "Target": path.partition(":")[0]} for path in tmpfs]


def _long_mount(short: str) -> dict[str, Any]:
    """Read `TARGET`, `SOURCE:TARGET` and `SOURCE:TARGET:MODE`."""
    parts = short.split(":")
    if len(parts) == 1:
        return {"type": "volume", "target": short}
    if len(parts) > 3 or not all(parts):
        raise InvalidInput(f"invalid volume: {safe(short)!r}", hint="write SOURCE:TARGET[:ro]")
    kind = "bind" if parts[0].startswith(("/", ".", "~")) else "volume"
    modes = parts[2].split(",") if len(parts) == 3 else []
    return {
        "type": kind,
        "source": parts[0],
        "target": parts[1],
        "read_only": "ro" in modes,
        "volume": {"nocopy": "nocopy" in modes},
        "bind": {"propagation": next((mode for mode in modes if mode.lstrip("r") in _PROPAGATIONS), "")},
    }


_PROPAGATIONS = frozenset({"private", "shared", "slave"})


def _mount(section: Mapping[str, Any], names: EngineNames, where: str) -> dict[str, Any]:
    fields.check_known(
        section,
        frozenset({"type", "source", "target", "read_only", "bind", "volume", "tmpfs", "consistency"}),
        where,
    )
    kind, source, target = section.get("type"), section.get("source"), section.get("target")
    if kind not in {"bind", "volume", "tmpfs"} or not isinstance(target, str) or not target:
        raise InvalidInput(f"{where} has a mount without type or target")
    mount: dict[str, Any] = {"Type": kind, "Target": target}
    if section.get("read_only"):
        mount["ReadOnly"] = True
    if kind == "bind":
        path = Path(fields.text(source)).expanduser()
        mount["Source"] = posixpath.normpath(str(names.directory / path))
        if propagation := fields.mapping(section.get("bind"), where).get("propagation"):
            mount["BindOptions"] = {"Propagation": propagation}
    elif kind == "volume" and source:
        mount["Source"] = names.resolve("volumes", fields.text(source), where)
        options: dict[str, Any] = dict(names.drivers.get(fields.text(source), {}))
        if fields.mapping(section.get("volume"), where).get("nocopy"):
            options["NoCopy"] = True
        if options:
            mount["VolumeOptions"] = options
    elif kind == "tmpfs" and (size := fields.mapping(section.get("tmpfs"), where).get("size")):
        mount["TmpfsOptions"] = {"SizeBytes": fields.size(size)}
    return mount


def _file_references(kind: str, value: Any, names: EngineNames, where: str) -> list[dict[str, Any]]:
    """Return references to secrets or configs: `NAME`, or a mapping with source, target, uid, gid and mode."""
    section = f"{kind.lower()}s"
    references = []
    for item in value or []:
        item_fields = fields.mapping(item if isinstance(item, dict) else {"source": item}, f"{where}.{section}")
        fields.check_known(item_fields, frozenset({"source", "target", "uid", "gid", "mode"}), f"{where}.{section}")
        source = fields.text(item_fields.get("source"))
        mode = item_fields.get("mode", 0o444)
        file = {
            "Name": fields.text(item_fields.get("target") or source),
            "UID": fields.text(item_fields.get("uid", "0")),
            "GID": fields.text(item_fields.get("gid", "0")),
            "Mode": int(mode, 8) if isinstance(mode, str) else int(mode),
        }
        references.append({f"{kind}Name": names.resolve(section, source, f"{where}.{section}"), "File": file})
    return references


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
