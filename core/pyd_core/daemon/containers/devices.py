"""Device nodes of the host as the OCI runtime specification describes them (config-linux.md, "Devices")."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from pyd_core.daemon.runtime.planned_spec import PlannedDevice
from pyd_core.errors import InvalidInput
from pyd_core.model.host_config import HostConfig

DEVICES = "/dev"
SKIPPED_DIRECTORIES = frozenset({"pts", "shm", "fd", "mqueue", ".lxc", ".lxd-mounts", ".udev"})
"""Directories of /dev that belong to a mount or another program; Docker Engine's list."""
RUNTIME_DEVICES = frozenset({"/dev/console", "/dev/ptmx", "/dev/tty"})
"""Devices that the runtime makes in every container."""


def device(path_on_host: str, path: str) -> PlannedDevice:
    """Describe a host device for the specification.

    Raises:
        InvalidInput: It isn't one.
    """
    try:
        status = os.stat(path_on_host)  # noqa: PTH116 - only the numbers matter
    except OSError as error:
        raise InvalidInput(_failure(path_on_host, (error.strerror or "").lower())) from error
    if not _is_device(status.st_mode):
        raise InvalidInput(_failure(path_on_host, "not a device node"))
    return _describe(status, path)


def of_host() -> list[PlannedDevice]:
    """Describe every device of the host, those in directories of /dev too, as a privileged container gets them."""
    return [_describe(status, path) for path, status in _nodes(DEVICES) if path not in RUNTIME_DEVICES]


def requested(host: HostConfig) -> list[PlannedDevice]:
    """Describe the devices of a creation: those of `--device`, and all of the host's with `--privileged`.

    Raises:
        InvalidInput: A path names no device.
    """
    devices = {device["path"]: device for device in (of_host() if host.privileged else [])}
    for mapping in host.devices:
        target = mapping.path_in_container or mapping.path_on_host
        source = os.path.realpath(mapping.path_on_host)
        if not Path(source).is_dir():
            devices[target] = device(mapping.path_on_host, target)
            continue
        inside = {f"{target}/{os.path.relpath(path, source)}": status for path, status in _nodes(source)}
        if not inside:
            raise InvalidInput(_failure(mapping.path_on_host, "not a device node"))
        devices |= {path: _describe(status, path) for path, status in inside.items()}
    return list(devices.values())


def _nodes(directory: str) -> Iterator[tuple[str, os.stat_result]]:
    """Yield the path and status of each device below a directory; no link is followed."""
    try:
        entries = sorted(os.scandir(directory), key=lambda entry: entry.name)
    except OSError:  # it went away, or isn't readable: a device of FUSE, for one
        return
    for entry in entries:
        try:
            status = entry.stat(follow_symlinks=False)
        except OSError:
            continue
        if _is_device(status.st_mode):
            yield entry.path, status
        elif stat.S_ISDIR(status.st_mode) and entry.name not in SKIPPED_DIRECTORIES:
            yield from _nodes(entry.path)


def _is_device(mode: int) -> bool:
    return stat.S_ISCHR(mode) or stat.S_ISBLK(mode)


def _describe(status: os.stat_result, path: str) -> PlannedDevice:
    return {
        "path": path,
        "type": "c" if stat.S_ISCHR(status.st_mode) else "b",
        "major": os.major(status.st_rdev),
        "minor": os.minor(status.st_rdev),
        "fileMode": stat.S_IMODE(status.st_mode),
        "uid": status.st_uid,
        "gid": status.st_gid,
    }


def _failure(path: str, reason: str) -> str:
    return f'error gathering device information while adding custom device "{path[:200]}": {reason}'
