"""Services of Compose files as targets (docker/buildx, `bake/compose.go`)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pyd_core.errors import InvalidInput
from pyd_core.sanitise import safe

_SAME = {
    "dockerfile": "dockerfile",
    "dockerfile_inline": "dockerfile-inline",
    "target": "target",
    "network": "network",
    "no_cache": "no-cache",
    "pull": "pull",
    "shm_size": "shm-size",
    "cache_from": "cache-from",
    "cache_to": "cache-to",
    "platforms": "platforms",
    "ssh": "ssh",
    "entitlements": "entitlements",
}
"""Attributes of `build` with their names in bake files."""


def compose_targets(content: Mapping[str, Any], file: Path) -> dict[str, dict[str, Any]]:
    """Return a target for each service that is built.

    Args:
        content: The file, read.
        file: Its path; contexts are relative to its directory.

    Raises:
        InvalidInput: A service's `build` can't be read.
    """
    services = content.get("services")
    if not isinstance(services, dict):
        raise InvalidInput(f"{safe(str(file))}: services aren't a mapping")
    project = str(content.get("name") or file.resolve().parent.name)
    targets: dict[str, dict[str, Any]] = {}
    for name, service in services.items():
        if isinstance(service, dict) and service.get("build") is not None:
            targets[name] = _target(name, service, content, file, project)
    return targets


def _target(
    name: str, service: Mapping[str, Any], content: Mapping[str, Any], file: Path, project: str
) -> dict[str, Any]:
    build = service["build"]
    if isinstance(build, str):
        build = {"context": build}
    if not isinstance(build, dict):
        raise InvalidInput(f"{safe(str(file))}: the build of {safe(name)} is neither a path nor a mapping")
    directory = file.parent
    target: dict[str, Any] = {
        "context": _located(str(build.get("context", ".")), directory),
        "tags": [str(service.get("image") or f"{project}-{name}"), *map(str, build.get("tags", []))],
    }
    target |= {bake: build[key] for key, bake in _SAME.items() if key in build}
    target["args"] = _pairs(build.get("args", {}))
    target["labels"] = _pairs(build.get("labels", {}))
    target["contexts"] = {
        key: _located(value, directory) if not value.startswith("service:") else f"target:{value[8:]}"
        for key, value in _pairs(build.get("additional_contexts", {})).items()
        if value is not None
    }
    hosts = build.get("extra_hosts", [])
    target["extra-hosts"] = [f"{k}:{v}" for k, v in hosts.items()] if isinstance(hosts, dict) else list(hosts)
    target["secret"] = [_secret(item, content, directory) for item in build.get("secrets", [])]
    ulimits: Any = build.get("ulimits", {})
    target["ulimits"] = [
        f"{key}={value['soft']}:{value['hard']}" if isinstance(value, dict) else f"{key}={value}"
        for key, value in ulimits.items()
    ]
    extension = build.get("x-bake", {})
    return {**target, **(extension if isinstance(extension, dict) else {})}


def _located(context: str, directory: Path) -> str:
    return context if "://" in context or context.startswith("git@") else str(directory / context)


def _pairs(value: Any) -> dict[str, str | None]:
    if isinstance(value, dict):
        return {str(key): None if item is None else str(item) for key, item in value.items()}
    pairs: dict[str, str | None] = {}
    for item in value or []:
        key, equals, text = str(item).partition("=")
        pairs[key] = text if equals else None
    return pairs


def _secret(item: Any, content: Mapping[str, Any], directory: Path) -> str:
    source = str(item.get("source", "")) if isinstance(item, dict) else str(item)
    secret_id = str(item.get("target") or source) if isinstance(item, dict) else source
    declared = (content.get("secrets") or {}).get(source)
    if not isinstance(declared, dict):
        raise InvalidInput(f"the secret {safe(source)} isn't declared under secrets")
    if "environment" in declared:
        return f"id={secret_id},env={declared['environment']}"
    return f"id={secret_id},src={directory / str(declared.get('file', source))}"
