"""Members of a process's pid namespace, as /proc of this namespace shows them (pid_namespaces(7))."""

from __future__ import annotations

import os

from pyd_core.linux.cgroup_stats import UNIFIED, read_groups

SESSION_PREFIX = "/pyd-"
"""How the last part of the cgroup of a debug session begins; its processes are guests, not members."""


def namespace_members(pid: int) -> list[int]:
    """Return the pids of all members of a process's pid namespace; of its cgroup, where that namespace is ours.

    Processes that end meanwhile are left out.
    """
    namespace = _namespace(pid)
    if namespace is None:
        return []
    shared = namespace == _namespace(os.getpid())
    group = _group(pid) if shared else ""
    members: list[int] = []
    with os.scandir("/proc") as entries:
        for entry in entries:
            if not entry.name.isdigit() or _namespace(int(entry.name)) != namespace:
                continue
            own = _group(int(entry.name))
            if own is None or own.rpartition("/")[2].startswith(SESSION_PREFIX[1:]):
                continue
            if not shared or (group is not None and (own == group or own.startswith(f"{group}/"))):
                members.append(int(entry.name))
    return sorted(members)


def _namespace(pid: int) -> tuple[int, int] | None:
    try:
        status = os.stat(f"/proc/{pid}/ns/pid")  # noqa: PTH116 - there are many
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _group(pid: int) -> str | None:
    """Return its cgroup in the hierarchy that sessions and engines both use: v1's pids controller, else v2."""
    groups = read_groups(pid)
    return None if groups is None else groups.get("pids", groups.get(UNIFIED, ""))
