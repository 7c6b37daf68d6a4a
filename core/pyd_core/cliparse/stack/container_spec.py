"""Containers of a Compose file's services as `ContainerSpec`s of the Engine API."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pyd_core.cliparse.stack import fields
from pyd_core.cliparse.stack.engine_names import EngineNames
from pyd_core.cliparse.variables import parse_variables
from pyd_core.errors import InvalidInput
from pyd_core.sanitise import safe


def container_spec(
    service: Mapping[str, Any],
    names: EngineNames,
    environ: Mapping[str, str],
    where: str,
    stack_labels: Mapping[str, str],
) -> dict[str, Any]:
    """Return the `ContainerSpec` of a service; secrets and configs have names instead of ids.

    Raises:
        InvalidInput: A field can't be read.
        NotFound: A file of variables is missing.
    """
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
