"""Mounts of the target, and their sources (proc_pid_mountinfo(5))."""

from __future__ import annotations

import msgspec

from pyd_core.debug.access import Access
from pyd_core.model.container import MountPoint

_KERNELS = frozenset({"proc", "sysfs", "cgroup", "cgroup2", "devpts", "mqueue", "debugfs", "tracefs", "securityfs"})
_ESCAPES = (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\"))


class MountFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A mount."""

    path: str
    kind: str
    """The file system."""
    source: str
    """A device or name; for a bind mount or volume its path on the host."""
    read_only: bool
    options: tuple[str, ...] = ()
    origin: str = ""
    """`root`, `kernel`, `engine` (hosts, resolv.conf …), or as the container has it: `bind`, `volume`, `tmpfs`."""
    volume: str = ""
    propagation: str = ""
    """`shared`, `slave` or nothing for a private one."""


def list_mounts(access: Access) -> list[MountFacts]:
    """Return the main process's mounts, by the order in which they were made."""
    text = access.proc(access.main_pid, "mountinfo", limit=4 << 20).decode(errors="replace")
    return parse_mounts(text, {point.destination.rstrip("/") or "/": point for point in access.container.mounts})


def parse_mounts(text: str, points: dict[str, MountPoint]) -> list[MountFacts]:
    """Read the text of a `mountinfo`, with the engine's data on mounts by path."""
    mounts: list[MountFacts] = []
    for line in text.splitlines():
        before, _, after = line.partition(" - ")
        fields, kind = before.split(" "), after.split(" ")
        if len(fields) < 6 or len(kind) < 3:
            continue
        path = _plain(fields[4])
        point = points.get(path)
        options = {*fields[5].split(","), *(("ro",) if "ro" in kind[2].split(",") else ())}
        shared = [field.partition(":")[0] for field in fields[6:]]
        mounts.append(
            MountFacts(
                path=path,
                kind=kind[0],
                source=point.source if point is not None and point.source else _plain(kind[1]),
                read_only="ro" in options,
                options=tuple(option for option in fields[5].split(",") if option not in ("ro", "rw", "relatime")),
                origin=_origin(path, kind[0], point),
                volume=point.name if point is not None else "",
                propagation="shared" if "shared" in shared else "slave" if "master" in shared else "",
            )
        )
    return mounts


def _origin(path: str, kind: str, point: MountPoint | None) -> str:
    if point is not None:
        return point.type
    if path == "/":
        return "root"
    if path in ("/etc/hosts", "/etc/hostname", "/etc/resolv.conf", "/dev", "/dev/shm"):  # noqa: S108 - names of mounts
        return "engine"
    return "kernel" if kind in _KERNELS or path.startswith(("/proc/", "/sys/")) else kind


def _plain(text: str) -> str:
    for code, character in _ESCAPES:
        text = text.replace(code, character)
    return text
