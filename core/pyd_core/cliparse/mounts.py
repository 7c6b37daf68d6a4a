"""Volumes and mounts: `-v`, `--mount` and `--tmpfs`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any

from pyd_core.cliparse.fields import parse_pairs, split_fields
from pyd_core.errors import InvalidInput
from pyd_core.gosyntax.booleans import parse_bool
from pyd_core.gosyntax.sizes import parse_size
from pyd_core.model.host_config import BindOptions, DriverConfig, MountConfig, TmpfsOptions, VolumeOptions
from pyd_core.sanitise import safe

SWITCHES = frozenset({"readonly", "ro", "volume-nocopy", "bind-nonrecursive"})
"""Keys that need no value."""
TYPES = ("bind", "volume", "tmpfs", "npipe", "cluster", "image")


def parse_volumes(texts: Iterable[str]) -> tuple[list[str], dict[str, dict[str, str]]]:
    """Separate binds and named volumes (`SOURCE:TARGET[:OPTIONS]`) from anonymous volumes (`TARGET`).

    A source that starts with a dot is relative to the working directory.

    Raises:
        InvalidInput: A value can't be read.
    """
    binds: list[str] = []
    anonymous: dict[str, dict[str, str]] = {}
    for text in texts:
        source, colon, rest = text.partition(":")
        if not source:
            raise InvalidInput(f"invalid volume: {safe(text)!r}", hint="write SOURCE:TARGET[:ro]")
        if not colon:
            anonymous[text] = {}
            continue
        if not rest:
            raise InvalidInput(f"invalid volume: {safe(text)!r}", hint="write SOURCE:TARGET[:ro]")
        binds.append(f"{_absolute_path(source)}:{rest}")
    return binds, anonymous


def parse_tmpfs(texts: Iterable[str]) -> dict[str, str]:
    """Return tmpfs options by target: `/run:size=64m,mode=1777`."""
    return {target: options for target, _, options in (text.partition(":") for text in texts)}


def parse_mounts(texts: Iterable[str]) -> list[MountConfig]:
    """Read mounts, each `type=bind,source=/a,target=/b,readonly`.

    Raises:
        InvalidInput: A value can't be read, or has conflicting fields.
    """
    return [_parse_mount(text) for text in texts]


def _parse_mount(text: str) -> MountConfig:
    parts: dict[str, dict[str, Any]] = {"": {"type": "volume"}, "bind": {}, "volume": {}, "tmpfs": {}}
    labels: list[str] = []
    options: list[str] = []
    driver = ""
    for field in split_fields(text):
        name, equals, value = field.partition("=")
        name = name.strip().lower()
        if not equals and name not in SWITCHES:
            raise InvalidInput(f"invalid field {safe(field)!r} in {safe(text)!r}", hint="write NAME=VALUE")
        if name == "volume-label":
            labels.append(value)
        elif name == "volume-opt":
            options.append(value)
        elif name == "volume-driver":
            driver = value
        elif name == "bind-recursive":
            parts["bind"] |= _parse_recursion(value)
        elif name in _FIELDS:
            part, attribute, parse = _FIELDS[name]
            parts[part][attribute] = parse(value)
        else:
            raise InvalidInput(f"unexpected key {safe(name)!r} in {safe(text)!r}")
    if labels:
        parts["volume"]["labels"] = parse_pairs(labels)
    if driver or options:
        parts["volume"]["driver_config"] = DriverConfig(name=driver, options=parse_pairs(options))
    return _build_mount(parts)


def _build_mount(parts: dict[str, dict[str, Any]]) -> MountConfig:
    mount = MountConfig(
        **parts[""],
        bind_options=BindOptions(**parts["bind"]) if parts["bind"] else None,
        volume_options=VolumeOptions(**parts["volume"]) if parts["volume"] else None,
        tmpfs_options=TmpfsOptions(**parts["tmpfs"]) if parts["tmpfs"] else None,
    )
    if mount.type not in TYPES:
        raise InvalidInput(f"no such type of mount: {safe(mount.type)}", hint=f"types are {', '.join(TYPES)}")
    if not mount.target:
        raise InvalidInput("a mount needs a target", hint="add target=/path")
    for owner in ("bind", "volume", "tmpfs"):
        if parts[owner] and owner != ("volume" if mount.type == "cluster" else mount.type):
            raise InvalidInput(f"cannot mix {owner}-* options with mount type {mount.type}")
    recursion = mount.bind_options
    if recursion is not None and recursion.read_only_force_recursive and not mount.read_only:
        raise InvalidInput("bind-recursive=readonly needs a mount that is read-only", hint="add readonly")
    return mount


def _absolute_path(value: str) -> str:
    """Return a path that starts with a dot as an absolute one; the engine follows links in it."""
    return os.path.abspath(value) if value.startswith(".") else value  # noqa: PTH100 - resolve() follows links


def _parse_switch(value: str) -> bool:
    return parse_bool(value, "a mount's switch")


def _parse_recursion(value: str) -> dict[str, Any]:
    match value:
        case "enabled":
            return {}
        case "disabled":
            return {"non_recursive": True}
        case "writable":
            return {"read_only_non_recursive": True}
        case "readonly":
            return {"read_only_force_recursive": True}
        case _:
            raise InvalidInput(
                f"invalid value for bind-recursive: {safe(value)}", hint="enabled, disabled, writable or readonly"
            )


def _parse_mode(value: str) -> int:
    try:
        return int(value, 8)
    except ValueError as error:
        raise InvalidInput(f"invalid value for tmpfs-mode: {safe(value)}", hint="write it in octal: 1777") from error


_FIELDS: dict[str, tuple[str, str, Callable[[str], Any]]] = {
    "type": ("", "type", str.lower),
    "source": ("", "source", _absolute_path),
    "src": ("", "source", _absolute_path),
    "target": ("", "target", str),
    "dst": ("", "target", str),
    "destination": ("", "target", str),
    "readonly": ("", "read_only", _parse_switch),
    "ro": ("", "read_only", _parse_switch),
    "consistency": ("", "consistency", str.lower),
    "bind-propagation": ("bind", "propagation", str.lower),
    "bind-nonrecursive": ("bind", "non_recursive", _parse_switch),
    "volume-subpath": ("volume", "subpath", str),
    "volume-nocopy": ("volume", "no_copy", _parse_switch),
    "tmpfs-size": ("tmpfs", "size_bytes", parse_size),
    "tmpfs-mode": ("tmpfs", "mode", _parse_mode),
}
"""For each key: the part of the mount its value belongs to, the field's name there, and the parser."""
