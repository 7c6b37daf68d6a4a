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

NAMESPACE = "com.docker.stack.namespace"
IMAGE = "com.docker.stack.image"
"""Label with the image as the file names it; the engine's name for it includes a digest."""

IGNORED = frozenset(
    {
        *("build", "cgroup_parent", "container_name", "depends_on", "devices", "expose", "external_links", "ipc"),
        *("links", "mac_address", "network_mode", "pid", "privileged", "profiles", "security_opt", "shm_size"),
        *("userns_mode", "platform", "pull_policy", "runtime", "isolation", "domainname"),
    }
)
"""Fields that swarms ignore, with a warning, as in the docker CLI."""

_KNOWN = IGNORED | {
    *("cap_add", "cap_drop", "command", "configs", "deploy", "dns", "dns_opt", "dns_search", "entrypoint", "env_file"),
    *("environment", "extra_hosts", "healthcheck", "hostname", "image", "init", "labels", "logging", "networks"),
    *("ports", "read_only", "restart", "secrets", "stdin_open", "stop_grace_period", "stop_signal", "sysctls"),
    *("tmpfs", "tty", "ulimits", "user", "volumes", "working_dir"),
}


@dataclass(frozen=True, kw_only=True)
class Names:
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

    def of(self, kind: str, name: str, where: str) -> str:
        """Return the name of a network, volume, secret or config on the engine.

        Raises:
            InvalidInput: The file declares no such object.
        """
        found = getattr(self, kind).get(name)
        if found is None:
            raise InvalidInput(f"{where} names {safe(name)!r}, which is not in the file's {kind}")
        return str(found)


def service_spec(name: str, given: Mapping[str, Any], names: Names, environ: Mapping[str, str]) -> dict[str, Any]:
    """Return the specification of a service; secrets and configs have names instead of ids.

    Raises:
        InvalidInput: A field is unknown or can't be read.
        NotFound: A file of variables is missing.
    """
    where = f"services.{safe(name)}"
    fields.only(given, _KNOWN, where)
    image = given.get("image")
    if not isinstance(image, str) or not image:
        raise InvalidInput(f"{where} has no image", hint="a swarm doesn't build images: build, push and name one")
    deploy = fields.mapping(given.get("deploy"), f"{where}.deploy")
    own = {NAMESPACE: names.stack}
    spec: dict[str, Any] = _without_nothing(
        {
            "Name": f"{names.stack}_{name}",
            "Labels": {**own, IMAGE: image, **fields.labels(deploy.get("labels"), f"{where}.deploy.labels")},
            "TaskTemplate": {
                "ContainerSpec": _container(given, names, environ, where, own),
                "LogDriver": _log_driver(given.get("logging"), where),
                "Resources": _resources(fields.mapping(deploy.get("resources"), f"{where}.deploy.resources"), where),
                "RestartPolicy": _restart(deploy.get("restart_policy"), given.get("restart"), where),
                "Placement": _placement(fields.mapping(deploy.get("placement"), f"{where}.deploy.placement"), where),
                "Networks": _networks(name, given.get("networks"), names, where),
            },
            "Mode": _mode(deploy, where),
            "UpdateConfig": _changing(deploy.get("update_config"), f"{where}.deploy.update_config"),
            "RollbackConfig": _changing(deploy.get("rollback_config"), f"{where}.deploy.rollback_config"),
            "EndpointSpec": {
                "Mode": deploy.get("endpoint_mode") or "vip",
                "Ports": _ports(given.get("ports"), where),
            },
        }
    )
    return spec


def _without_nothing(value: Any) -> Any:
    """Remove unset fields at any depth; `Global: {}` is a value."""
    if not isinstance(value, dict):
        return value
    kept = {key: _without_nothing(item) for key, item in value.items() if item is not None}
    return {key: item for key, item in kept.items() if item not in ([], {}) or key in {"Global", "GlobalJob", "Mode"}}


def _container(
    given: Mapping[str, Any], names: Names, environ: Mapping[str, str], where: str, own: Mapping[str, str]
) -> dict[str, Any]:
    grace = given.get("stop_grace_period")
    dns = {
        "Nameservers": fields.texts(given.get("dns"), f"{where}.dns"),
        "Search": fields.texts(given.get("dns_search"), f"{where}.dns_search"),
        "Options": fields.texts(given.get("dns_opt"), f"{where}.dns_opt"),
    }
    return {
        "Image": given["image"],
        "Command": fields.words(given.get("entrypoint"), f"{where}.entrypoint"),
        "Args": fields.words(given.get("command"), f"{where}.command"),
        "Env": _variables(given, names, environ, where),
        "Labels": {**fields.labels(given.get("labels"), f"{where}.labels"), **own},
        "Hostname": given.get("hostname"),
        "Dir": given.get("working_dir"),
        "User": None if given.get("user") is None else fields.text(given["user"]),
        "TTY": given.get("tty") or None,
        "OpenStdin": given.get("stdin_open") or None,
        "ReadOnly": given.get("read_only") or None,
        "Init": given.get("init"),
        "StopSignal": given.get("stop_signal"),
        "StopGracePeriod": None if grace is None else fields.duration(grace, f"{where}.stop_grace_period"),
        "Hosts": _hosts(given.get("extra_hosts"), where),
        "DNSConfig": {key: item for key, item in dns.items() if item},
        "CapabilityAdd": _capabilities(given.get("cap_add"), f"{where}.cap_add"),
        "CapabilityDrop": _capabilities(given.get("cap_drop"), f"{where}.cap_drop"),
        "Sysctls": fields.labels(given.get("sysctls"), f"{where}.sysctls"),
        "Ulimits": _ulimits(given.get("ulimits"), where),
        "Healthcheck": _health(given.get("healthcheck"), where),
        "Mounts": _mounts(given, names, where),
        "Secrets": _kept("Secret", given.get("secrets"), names, where),
        "Configs": _kept("Config", given.get("configs"), names, where),
    }


def _capabilities(value: Any, where: str) -> list[str]:
    names = (name.upper() for name in fields.texts(value, where))
    return sorted(name if name == "ALL" or name.startswith("CAP_") else f"CAP_{name}" for name in names)


def _variables(given: Mapping[str, Any], names: Names, environ: Mapping[str, str], where: str) -> list[str]:
    files = [str(names.directory / path) for path in fields.texts(given.get("env_file"), f"{where}.env_file")]
    found: dict[str, str | None] = fields.assignments(parse_variables((), files, environ), where)
    found |= fields.assignments(given.get("environment"), f"{where}.environment")
    known = {name: environ.get(name) if value is None else value for name, value in found.items()}
    return [f"{name}={value}" for name, value in known.items() if value is not None]


def _hosts(value: Any, where: str) -> list[str]:
    if isinstance(value, dict):
        value = [f"{name}:{address}" for name, address in value.items()]
    split = (item.partition("=" if "=" in item else ":") for item in fields.texts(value, f"{where}.extra_hosts"))
    return [f"{address} {name}" for name, _, address in split]


def _ulimits(value: Any, where: str) -> list[dict[str, Any]]:
    found = []
    for name, item in fields.mapping(value, f"{where}.ulimits").items():
        at = f"{where}.ulimits.{safe(name)}"
        both = item if isinstance(item, dict) else {"soft": item, "hard": item}
        found.append(
            {
                "Name": name,
                "Soft": fields.number(both.get("soft"), at),
                "Hard": fields.number(both.get("hard"), at),
            }
        )
    return found


def _health(value: Any, where: str) -> dict[str, Any] | None:
    at = f"{where}.healthcheck"
    given = fields.mapping(value, at)
    if not given:
        return None
    fields.only(
        given,
        frozenset({"test", "interval", "timeout", "retries", "start_period", "start_interval", "disable"}),
        at,
    )
    if given.get("disable"):
        return {"Test": ["NONE"]}
    test = given.get("test")
    names = {"Interval": "interval", "Timeout": "timeout", "StartPeriod": "start_period"}
    names["StartInterval"] = "start_interval"
    times = {
        field: fields.duration(given[key], f"{at}.{key}") for field, key in names.items() if given.get(key) is not None
    }
    retries = {} if given.get("retries") is None else {"Retries": fields.number(given["retries"], f"{at}.retries")}
    probe = {} if test is None else {"Test": ["CMD-SHELL", test] if isinstance(test, str) else fields.texts(test, at)}
    return {**probe, **times, **retries}


def _mounts(given: Mapping[str, Any], names: Names, where: str) -> list[dict[str, Any]]:
    found = []
    volumes = given.get("volumes") or []
    if not isinstance(volumes, list):
        raise InvalidInput(f"{where}.volumes must be a list")
    for item in volumes:
        long = _long_mount(fields.text(item)) if not isinstance(item, dict) else fields.mapping(item, where)
        found.append(_mount(long, names, f"{where}.volumes"))
    memory = fields.texts(given.get("tmpfs"), f"{where}.tmpfs")
    return found + [{"Type": "tmpfs", "Target": path.partition(":")[0]} for path in memory]


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


def _mount(given: Mapping[str, Any], names: Names, where: str) -> dict[str, Any]:
    fields.only(
        given,
        frozenset({"type", "source", "target", "read_only", "bind", "volume", "tmpfs", "consistency"}),
        where,
    )
    kind, source, target = given.get("type"), given.get("source"), given.get("target")
    if kind not in {"bind", "volume", "tmpfs"} or not isinstance(target, str) or not target:
        raise InvalidInput(f"{where} has a mount without type or target")
    mount: dict[str, Any] = {"Type": kind, "Target": target}
    if given.get("read_only"):
        mount["ReadOnly"] = True
    if kind == "bind":
        path = Path(fields.text(source)).expanduser()
        mount["Source"] = posixpath.normpath(str(names.directory / path))
        if propagation := fields.mapping(given.get("bind"), where).get("propagation"):
            mount["BindOptions"] = {"Propagation": propagation}
    elif kind == "volume" and source:
        mount["Source"] = names.of("volumes", fields.text(source), where)
        options: dict[str, Any] = dict(names.drivers.get(fields.text(source), {}))
        if fields.mapping(given.get("volume"), where).get("nocopy"):
            options["NoCopy"] = True
        if options:
            mount["VolumeOptions"] = options
    elif kind == "tmpfs" and (room := fields.mapping(given.get("tmpfs"), where).get("size")):
        mount["TmpfsOptions"] = {"SizeBytes": fields.size(room)}
    return mount


def _kept(kind: str, value: Any, names: Names, where: str) -> list[dict[str, Any]]:
    """Return references to secrets or configs: `NAME`, or a mapping with source, target, uid, gid and mode."""
    section = f"{kind.lower()}s"
    found = []
    for item in value or []:
        given = fields.mapping(item if isinstance(item, dict) else {"source": item}, f"{where}.{section}")
        fields.only(given, frozenset({"source", "target", "uid", "gid", "mode"}), f"{where}.{section}")
        source = fields.text(given.get("source"))
        mode = given.get("mode", 0o444)
        file = {
            "Name": fields.text(given.get("target") or source),
            "UID": fields.text(given.get("uid", "0")),
            "GID": fields.text(given.get("gid", "0")),
            "Mode": int(mode, 8) if isinstance(mode, str) else int(mode),
        }
        found.append({f"{kind}Name": names.of(section, source, f"{where}.{section}"), "File": file})
    return found


def _log_driver(value: Any, where: str) -> dict[str, Any] | None:
    given = fields.mapping(value, f"{where}.logging")
    if not given:
        return None
    return {"Name": given.get("driver"), "Options": fields.labels(given.get("options"), f"{where}.logging.options")}


def _resources(given: Mapping[str, Any], where: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for part, field in (("limits", "Limits"), ("reservations", "Reservations")):
        at = f"{where}.deploy.resources.{part}"
        one = fields.mapping(given.get(part), at)
        fields.only(one, frozenset({"cpus", "memory", "pids", "generic_resources", "devices"}), at)
        found[field] = {
            "NanoCPUs": None if one.get("cpus") is None else fields.cpus(one["cpus"]),
            "MemoryBytes": None if one.get("memory") is None else fields.size(one["memory"]),
            "Pids": None if one.get("pids") is None else fields.number(one["pids"], at),
        }
    return found


def _restart(policy: Any, restart: Any, where: str) -> dict[str, Any] | None:
    at = f"{where}.deploy.restart_policy"
    given = fields.mapping(policy, at)
    if not given:
        word, _, times = fields.text(restart or "").partition(":")
        if word in {"always", "unless-stopped"}:
            return {"Condition": "any"}
        if word == "on-failure":
            most = fields.number(times, f"{where}.restart") if times else None
            return {"Condition": "on-failure", "MaxAttempts": most}
        return {"Condition": "none"} if word == "no" else None
    fields.only(given, frozenset({"condition", "delay", "max_attempts", "window"}), at)
    return {
        "Condition": given.get("condition"),
        "Delay": None if given.get("delay") is None else fields.duration(given["delay"], f"{at}.delay"),
        "MaxAttempts": None if given.get("max_attempts") is None else fields.number(given["max_attempts"], at),
        "Window": None if given.get("window") is None else fields.duration(given["window"], f"{at}.window"),
    }


def _placement(given: Mapping[str, Any], where: str) -> dict[str, Any]:
    at = f"{where}.deploy.placement"
    fields.only(given, frozenset({"constraints", "preferences", "max_replicas_per_node"}), at)
    return {
        "Constraints": fields.texts(given.get("constraints"), f"{at}.constraints"),
        "Preferences": [
            {"Spread": {"SpreadDescriptor": fields.mapping(each, at).get("spread")}}
            for each in given.get("preferences") or []
        ],
        "MaxReplicas": given.get("max_replicas_per_node"),
    }


def _networks(name: str, value: Any, names: Names, where: str) -> list[dict[str, Any]]:
    given = value if isinstance(value, dict) else dict.fromkeys(fields.texts(value, f"{where}.networks"))
    found = []
    for network, settings in (given or {"default": None}).items():
        aliases = fields.texts(fields.mapping(settings, f"{where}.networks").get("aliases"), f"{where}.networks")
        target = names.of("networks", str(network), f"{where}.networks")
        found.append({"Target": target, "Aliases": [*aliases, name]})
    return sorted(found, key=lambda each: str(each["Target"]))


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


def _changing(value: Any, at: str) -> dict[str, Any] | None:
    given = fields.mapping(value, at)
    if not given:
        return None
    fields.only(
        given, frozenset({"parallelism", "delay", "failure_action", "monitor", "max_failure_ratio", "order"}), at
    )
    return {
        "Parallelism": fields.number(given.get("parallelism", 1), f"{at}.parallelism"),
        "Delay": None if given.get("delay") is None else fields.duration(given["delay"], f"{at}.delay"),
        "FailureAction": given.get("failure_action"),
        "Monitor": None if given.get("monitor") is None else fields.duration(given["monitor"], f"{at}.monitor"),
        "MaxFailureRatio": given.get("max_failure_ratio"),
        "Order": given.get("order"),
    }


def _ports(value: Any, where: str) -> list[dict[str, Any]]:
    found = []
    for item in value or []:
        if isinstance(item, dict):
            given = fields.mapping(item, f"{where}.ports")
            port = {
                "Protocol": given.get("protocol") or "tcp",
                "TargetPort": fields.number(given.get("target"), f"{where}.ports"),
                "PublishedPort": None
                if given.get("published") is None
                else fields.number(given["published"], f"{where}.ports"),
                "PublishMode": given.get("mode") or "ingress",
            }
            found.append({key: each for key, each in port.items() if each is not None})
            continue
        for inside, bindings in parse_published([fields.text(item)]).items():
            target, _, protocol = inside.partition("/")
            for binding in bindings or []:
                port = {"Protocol": protocol, "TargetPort": int(target), "PublishMode": "ingress"}
                found.append(port | ({"PublishedPort": int(binding.host_port)} if binding.host_port else {}))
    return sorted(found, key=lambda each: (int(each.get("PublishedPort", 0)), int(each["TargetPort"])))
