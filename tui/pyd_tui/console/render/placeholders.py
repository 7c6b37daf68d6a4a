"""Placeholders in templates of `pyd ps`: the docker CLI's (docker/cli, `formatter/container.go`)."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from pyd_core.humanize import docker_duration
from pyd_core.model.base import label
from pyd_core.model.container import ContainerSummary, MountPoint
from pyd_tui.console.render.docker_words import spell_labels, spell_ports, spell_size, spell_time

SHORT_ID = 12
MAX_COMMAND_CHARS = 20
MAX_MOUNT_CHARS = 15

TITLES = {
    "ID": "CONTAINER ID",
    "Image": "IMAGE",
    "Command": "COMMAND",
    "CreatedAt": "CREATED AT",
    "RunningFor": "CREATED",
    "Ports": "PORTS",
    "State": "STATE",
    "Status": "STATUS",
    "Size": "SIZE",
    "Names": "NAMES",
    "Labels": "LABELS",
    "Mounts": "MOUNTS",
    "LocalVolumes": "LOCAL VOLUMES",
    "Networks": "NETWORKS",
    "Platform": "PLATFORM",
}


def placeholders(container: ContainerSummary, *, full: bool, sized: bool) -> Mapping[str, Any]:
    """Return the value of each placeholder.

    Args:
        container: The engine's summary.
        full: Shorten nothing.
        sized: Include sizes.
    """
    names = [name.removeprefix("/") for name in container.names]
    return {
        "Command": f'"{container.command if full else _cut(container.command, MAX_COMMAND_CHARS)}"',
        "CreatedAt": spell_time(container.created),
        "ID": container.id if full else container.id[:SHORT_ID],
        "Image": container.image or "<no image>",
        "Labels": spell_labels(container.labels),
        "Label": lambda name: label(container.labels, name),
        "LocalVolumes": str(sum(mount.driver == "local" for mount in container.mounts)),
        "Mounts": ",".join(_mount(mount, full=full) for mount in container.mounts),
        "Names": ",".join(names if full else [name for name in names if "/" not in name] or names),
        "Networks": ",".join(sorted(container.network_settings.networks)),
        "Ports": spell_ports(container.ports),
        "RunningFor": f"{docker_duration(time.time() - container.created)} ago",
        "Size": _size(container) if sized else "0B",
        "State": container.state,
        "Status": container.status,
    }


def _size(container: ContainerSummary) -> str:
    virtual = f" (virtual {spell_size(container.size_root_fs)})" if container.size_root_fs else ""
    return f"{spell_size(container.size_rw or 0)}{virtual}"


def _mount(mount: MountPoint, *, full: bool) -> str:
    name = mount.name or mount.source
    return name if full else _cut(name, MAX_MOUNT_CHARS)


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"
