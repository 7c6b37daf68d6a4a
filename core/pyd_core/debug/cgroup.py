"""The session's own cgroups: planned here, made and removed by the supervisor (`join.Groups`).

No tool then counts against the target's limits, and nothing of the session is frozen with a paused target. Names carry
the supervisor's pid namespace, pid and start time (`pyd-4026531836-1234-567890`), so what a killed supervisor left is
found and removed by the next session. The cgroups of another pid namespace may be in sight too, where pyd runs in a
container that sees its host's; which of those still have a supervisor can't be told from here.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
from typing import Any

from pyd_core.linux.process import is_alive

_NAME = re.compile(r"pyd-([0-9]+)-([0-9]+)-([0-9]+)")

HOST_SHARE = 4
"""A session may take this part of the host's memory."""
MOST_PROCESSES = 4096

Group = dict[str, Any]
"""`parent`: the folder to make it in; `limits`: pairs of a file and what to write, in order."""


def plan_groups(root: str, *, host_memory: int, devices: str | None = None) -> list[Group]:
    """Returns the cgroups to make; none where this process may make none.

    Args:
        root: Where cgroups are mounted, `/sys/fs/cgroup`.
        host_memory: Bytes.
        devices: The target's `devices.list` (version 1): the session gets the same devices and no more.
    """
    memory = str(host_memory // HOST_SHARE)
    if os.path.exists(f"{root}/cgroup.controllers"):
        if not os.access(root, os.W_OK):
            return []
        limits = (("memory", "memory.max", memory), ("pids", "pids.max", str(MOST_PROCESSES)))
        enabled = _enable(root)
        return [{"parent": root, "limits": [(file, value) for name, file, value in limits if name in enabled]}]
    wanted: list[tuple[str, list[tuple[str, str]]]] = [
        ("memory", [("memory.limit_in_bytes", memory)]),
        ("pids", [("pids.max", str(MOST_PROCESSES))]),
    ]
    if devices is not None:
        allowed = [("devices.allow", line) for line in devices.splitlines() if line]
        wanted.append(("devices", [("devices.deny", "a"), *allowed]))
    return [
        {"parent": f"{root}/{name}", "limits": limits}
        for name, limits in wanted
        if os.access(f"{root}/{name}", os.W_OK)
    ]


def _enable(root: str) -> set[str]:
    """Makes the memory and process controllers available below the root (cgroup v2); returns all that are."""
    enabled = _controllers(root)
    for name in {"memory", "pids"} - enabled:
        with contextlib.suppress(OSError), open(f"{root}/cgroup.subtree_control", "w", encoding="ascii") as control:
            control.write(f"+{name}")
    return _controllers(root)


def _controllers(root: str) -> set[str]:
    try:
        with open(f"{root}/cgroup.subtree_control", encoding="ascii") as control:
            return set(control.read().split())
    except OSError:
        return set()


def target_devices(root: str, cgroups: str) -> str | None:
    """Returns the `devices.list` of a process by its `/proc/PID/cgroup`; None on cgroup v2, which has no such file."""
    for line in cgroups.splitlines():
        _, controllers, path = line.split(":", 2)
        if "devices" in controllers.split(","):
            try:
                with open(f"{root}/devices{path}/devices.list") as listing:
                    return listing.read()
            except OSError:
                return None
    return None


def remove_stale(parents: list[str]) -> None:
    """Removes cgroups of sessions whose supervisor was killed, and kills what still runs in them."""
    here = os.stat("/proc/self/ns/pid").st_ino
    for parent in parents:
        for name in _entries(parent):
            found = _NAME.fullmatch(name)
            if found is None:
                continue
            namespace, pid, started = map(int, found.groups())
            if namespace != here or is_alive(pid, started):
                continue
            _kill_members(f"{parent}/{name}/cgroup.procs")
            # One that is still dying is the next session's to remove.
            with contextlib.suppress(OSError):
                os.rmdir(f"{parent}/{name}")


def _entries(parent: str) -> list[str]:
    try:
        return [name for name in os.listdir(parent) if name.startswith("pyd-")]
    except OSError:
        return []


def _kill_members(path: str) -> None:
    with contextlib.suppress(OSError), open(path) as members:
        for pid in map(int, members.read().split()):
            if pid == 0:
                continue  # of another pid namespace; to kill(2) it would be our own process group
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
