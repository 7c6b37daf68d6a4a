"""Mount propagation between the host and containers: `-v /a:/b:rshared` and similar.

See mount_namespaces(7), and proc_pid_mountinfo(5) for the fields `shared:` and `master:`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import msgspec

from pyd_core.daemon.containers.record import MountRecord
from pyd_core.errors import InvalidInput

MODES = frozenset({"private", "rprivate", "shared", "rshared", "slave", "rslave"})
_SHARED = {"shared", "rshared"}
_SLAVE = {"slave", "rslave"}


def of(path: str, *, mountinfo: Path = Path("/proc/self/mountinfo")) -> tuple[str, set[str]]:
    """Return the mount point that holds a path, and which of `shared` and `master` it has."""
    real = os.fsencode(os.path.realpath(path))
    mount_point: tuple[bytes, set[str]] = (b"/", set())
    for line in mountinfo.read_bytes().splitlines():
        fields = line.split(b" ")
        point = fields[4].replace(b"\\040", b" ").replace(b"\\011", b"\t").replace(b"\\012", b"\n")
        point = point.replace(b"\\134", b"\\")
        holds = real == point or real.startswith(point.rstrip(b"/") + b"/")
        if holds and len(point) >= len(mount_point[0]):  # of several at one path the last is on top
            optional = fields[6 : fields.index(b"-")]
            mount_point = point, {field.partition(b":")[0].decode() for field in optional}
    return os.fsdecode(mount_point[0]), mount_point[1]


def settled(mounts: Iterable[MountRecord]) -> list[MountRecord]:
    """Return the mounts, with `rprivate` where another propagation is only preferred and the source has no peers."""
    return [
        msgspec.structs.replace(mount, propagation="rprivate")
        if mount.may_be_private and not of(mount.source)[1]
        else mount
        for mount in mounts
    ]


def of_root(mounts: Iterable[MountRecord]) -> str:
    """Return the propagation that the container's root needs for its binds; empty where none needs any.

    Raises:
        InvalidInput: A bind's propagation isn't possible with its mount on the host.
    """
    required = ""
    for mount in mounts:
        if mount.propagation in _SHARED | _SLAVE:
            point, kinds = of(mount.source)
            shared = mount.propagation in _SHARED
            if "shared" not in kinds and (shared or "master" not in kinds):
                what = "a shared" if shared else "a shared or slave"
                raise InvalidInput(
                    f"path {mount.source} is mounted on {point} but it is not {what} mount",
                    hint=f"mount --make-shared {point}",
                )
            required = "shared" if shared or required == "shared" else "rslave"
    return required
