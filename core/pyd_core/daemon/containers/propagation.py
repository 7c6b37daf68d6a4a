"""Whether mounts made later pass between the host and a container, `-v /a:/b:rshared` and its like.

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
    """Returns where the mount that holds a path is, and of `shared` and `master` what it is."""
    real = os.fsencode(os.path.realpath(path))
    found: tuple[bytes, set[str]] = (b"/", set())
    for line in mountinfo.read_bytes().splitlines():
        fields = line.split(b" ")
        point = fields[4].replace(b"\\040", b" ").replace(b"\\011", b"\t").replace(b"\\012", b"\n")
        point = point.replace(b"\\134", b"\\")
        holds = real == point or real.startswith(point.rstrip(b"/") + b"/")
        if holds and len(point) >= len(found[0]):  # of several on one place the last is on top
            optional = fields[6 : fields.index(b"-")]
            found = point, {field.partition(b":")[0].decode() for field in optional}
    return os.fsdecode(found[0]), found[1]


def settled(mounts: Iterable[MountRecord]) -> list[MountRecord]:
    """Returns the mounts with `rprivate` where another propagation is only wished for and the source has no peers."""
    return [
        msgspec.structs.replace(each, propagation="rprivate")
        if each.may_be_private and not of(each.source)[1]
        else each
        for each in mounts
    ]


def of_root(mounts: Iterable[MountRecord]) -> str:
    """Returns how the container's root must pass mounts on for those of its binds to; empty where none needs it.

    Raises:
        InvalidInput: A bind is to pass on what its mount on the host doesn't.
    """
    wanted = ""
    for each in mounts:
        if each.propagation in _SHARED | _SLAVE:
            point, kinds = of(each.source)
            shared = each.propagation in _SHARED
            if "shared" not in kinds and (shared or "master" not in kinds):
                what = "a shared" if shared else "a shared or slave"
                raise InvalidInput(
                    f"path {each.source} is mounted on {point} but it is not {what} mount",
                    hint=f"mount --make-shared {point}",
                )
            wanted = "shared" if shared or wanted == "shared" else "rslave"
    return wanted
