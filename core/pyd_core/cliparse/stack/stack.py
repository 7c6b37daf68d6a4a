"""Stacks: the objects that a Compose file declares for a swarm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pyd_core.cliparse.stack import fields
from pyd_core.cliparse.stack.engine_names import EngineNames
from pyd_core.cliparse.stack.services import IGNORED_FIELDS, NAMESPACE_LABEL, service_spec
from pyd_core.errors import InvalidInput, NotFound
from pyd_core.sanitise import safe

MAX_DATA_BYTES = 1000 << 10
"""Limit of engines for the content of a secret or config."""

_SECTIONS = frozenset({"version", "name", "services", "networks", "volumes", "secrets", "configs"})


@dataclass(kw_only=True)
class StackFile:
    """Objects of a stack.

    Attributes:
        name: The stack's name.
        services: Specifications of the Engine API, by name on the engine.
        networks: Networks to create, by name on the engine; external ones are not included.
        secrets: Content by name on the engine.
        configs: Content by name on the engine.
        warnings: Fields that swarms ignore.
    """

    name: str
    services: dict[str, dict[str, Any]] = field(default_factory=dict)
    networks: dict[str, dict[str, Any]] = field(default_factory=dict)
    secrets: dict[str, bytes] = field(default_factory=dict)
    configs: dict[str, bytes] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


def read_stack(name: str, content: Mapping[str, Any], directory: Path, environ: Mapping[str, str]) -> StackFile:
    """Return the objects that a Compose file declares.

    Args:
        name: The stack's name.
        content: The file, as `reading.read_files` returns it.
        directory: The directory that relative paths start from.
        environ: Values for variables that have none in the file.

    Raises:
        InvalidInput: A field is unknown or can't be read.
        NotFound: A file of a secret, a config or variables is missing.
    """
    fields.check_known(content, _SECTIONS, "the file")
    services = fields.mapping(content.get("services"), "services")
    if not services:
        raise InvalidInput("the file has no services")
    sections = {kind: fields.mapping(content.get(kind), kind) for kind in ("networks", "volumes", "secrets", "configs")}
    sections["networks"].setdefault("default", None)
    names = EngineNames(
        stack=name,
        directory=directory,
        drivers=_volume_options(name, sections["volumes"]),
        **{kind: _engine_names(name, kind, section) for kind, section in sections.items()},
    )
    stack = StackFile(name=name)
    for service, given in services.items():
        service_fields = fields.mapping(given, f"services.{safe(service)}")
        spec = service_spec(service, service_fields, names, environ)
        stack.services[spec["Name"]] = spec
        if ignored := sorted(IGNORED_FIELDS & service_fields.keys() - {"depends_on", "expose"}):
            stack.warnings.append(f"services.{safe(service)}: swarms ignore {', '.join(ignored)}")
    used = {net["Target"] for spec in stack.services.values() for net in spec["TaskTemplate"].get("Networks", ())}
    for key, given in sections["networks"].items():
        if names.networks[key] in used and not _is_external(given):
            stack.networks[names.networks[key]] = _network(name, names.networks[key], given, f"networks.{safe(key)}")
    for kind, store in (("secrets", stack.secrets), ("configs", stack.configs)):
        for key, given in sections[kind].items():
            if not _is_external(given):
                store[getattr(names, kind)[key]] = _read_data(given, directory, environ, f"{kind}.{safe(key)}")
    return stack


def _is_external(given: Any) -> bool:
    return isinstance(given, dict) and bool(given.get("external"))


def _engine_names(stack: str, kind: str, section: Mapping[str, Any]) -> dict[str, str]:
    names = {}
    for key, value in section.items():
        item = fields.mapping(value, f"{kind}.{safe(key)}")
        external = item.get("external")
        outside = external.get("name") if isinstance(external, dict) else None
        default = key if external else f"{stack}_{key}"
        names[key] = fields.text(item.get("name") or outside or default)
    return names


def _volume_options(stack: str, section: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    volumes = {}
    for key, value in section.items():
        volume = fields.mapping(value, f"volumes.{safe(key)}")
        if volume.get("external"):
            continue
        labels = fields.labels(volume.get("labels"), f"volumes.{safe(key)}.labels")
        options: dict[str, Any] = {"Labels": {**labels, NAMESPACE_LABEL: stack}}
        if volume.get("driver") or volume.get("driver_opts"):
            driver = {"Name": volume["driver"]} if volume.get("driver") else {}
            options["DriverConfig"] = driver | {"Options": fields.labels(volume.get("driver_opts"), f"volumes.{key}")}
        volumes[key] = options
    return volumes


def _network(stack: str, name: str, value: Any, where: str) -> dict[str, Any]:
    section = fields.mapping(value, where)
    known = {"name", "driver", "driver_opts", "attachable", "internal", "enable_ipv6", "labels", "ipam"}
    fields.check_known(section, frozenset(known), where)
    body: dict[str, Any] = {
        "Name": name,
        "Driver": section.get("driver") or "overlay",
        "Labels": {**fields.labels(section.get("labels"), f"{where}.labels"), NAMESPACE_LABEL: stack},
        "Options": fields.labels(section.get("driver_opts"), f"{where}.driver_opts"),
        "Attachable": bool(section.get("attachable")),
        "Internal": bool(section.get("internal")),
        "EnableIPv6": bool(section.get("enable_ipv6")),
    }
    ipam = fields.mapping(section.get("ipam"), f"{where}.ipam")
    if ipam:
        pools = [fields.mapping(pool, f"{where}.ipam.config") for pool in ipam.get("config") or []]
        body["IPAM"] = {
            "Driver": ipam.get("driver") or "default",
            "Config": [{"Subnet": pool.get("subnet")} for pool in pools if pool.get("subnet")],
        }
    return body


def _read_data(value: Any, directory: Path, environ: Mapping[str, str], where: str) -> bytes:
    section = fields.mapping(value, where)
    fields.check_known(section, frozenset({"file", "content", "environment", "name", "labels"}), where)
    if "content" in section:
        data = fields.text(section["content"]).encode()
    elif "environment" in section:
        variable = fields.text(section["environment"])
        if variable not in environ:
            raise InvalidInput(f"{where} needs the variable {safe(variable)}, which is not set")
        data = environ[variable].encode()
    elif "file" in section:
        path = directory / fields.text(section["file"])
        try:
            with path.open("rb") as file:
                data = file.read(MAX_DATA_BYTES + 1)
        except FileNotFoundError as error:
            raise NotFound(f"{where}: no such file: {safe(str(path))}", reference="no-such-file") from error
        except OSError as error:
            raise InvalidInput(f"{where}: can't read {safe(str(path))}: {error.strerror}") from error
    else:
        raise InvalidInput(f"{where} has neither file, content nor environment", hint="or is it external?")
    if len(data) > MAX_DATA_BYTES:
        raise InvalidInput(f"{where} is larger than {MAX_DATA_BYTES >> 10} KiB")
    return data
