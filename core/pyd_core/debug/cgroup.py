"""The session's own cgroups: planned here, made by the supervisor (`join.Groups`), removed once it has ended.

No tool then counts against the target's limits, and nothing of the session is frozen with a paused target. Names carry
the supervisor's pid namespace, pid and start time (`pyd-4026531836-1234-567890`), so what a killed supervisor left is
found and removed by the next session. The cgroups of another pid namespace may be in sight too, where pyd runs in a
container that sees its host's; which of those still have a supervisor can't be told from here.
"""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import time

TYPE_CHECKING = False  # as type checkers know it; the supervisor, which loads this, has no use for `typing`
if TYPE_CHECKING:
    from typing import Any

    Group = dict[str, Any]
    """`parent`: the folder to make it in; `limits`: pairs of a file and what to write, in order."""

CGROUPS = "/sys/fs/cgroup"
_CONTROLLERS = ("memory", "pids", "devices")

HOST_SHARE = 4
"""A session may take this part of the host's memory."""
MOST_PROCESSES = 4096


def parents(root: str = CGROUPS) -> list[str]:
    """Returns the folders in which a session gets a cgroup of its own; none where this process may make none."""
    folders = [root] if os.path.exists(f"{root}/cgroup.controllers") else [f"{root}/{name}" for name in _CONTROLLERS]
    return [folder for folder in folders if os.access(folder, os.W_OK)]


def plan_groups(root: str, *, host_memory: int, devices: str | None = None) -> list[Group]:
    """Returns the cgroups to make; none where this process may make none.

    Args:
        root: Where cgroups are mounted, `/sys/fs/cgroup`.
        host_memory: Bytes.
        devices: The target's `devices.list` (version 1): the session gets the same devices and no more.
    """
    memory, processes = str(host_memory // HOST_SHARE), str(MOST_PROCESSES)
    folders = parents(root)
    if root in folders:
        limits = (("memory", "memory.max", memory), ("pids", "pids.max", processes))
        enabled = _enable(root)
        return [{"parent": root, "limits": [(file, value) for name, file, value in limits if name in enabled]}]
    limited = {"memory": [("memory.limit_in_bytes", memory)], "pids": [("pids.max", processes)]}
    if devices is not None:
        allowed = [("devices.allow", line) for line in devices.splitlines() if line]
        limited["devices"] = [("devices.deny", "a"), *allowed]
    return [{"parent": folder, "limits": limited.get(os.path.basename(folder), [])} for folder in folders]


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
    from pyd_core.linux.process import is_alive  # noqa: PLC0415 - the supervisor, which loads this too, has no use for it

    here = os.stat("/proc/self/ns/pid").st_ino
    for parent in parents:
        for name in _entries(parent):
            numbers = name.split("-")[1:]
            if len(numbers) != 3 or not all(number.isascii() and number.isdigit() for number in numbers):
                continue
            namespace, pid, started = map(int, numbers)
            if namespace != here or is_alive(pid, started):
                continue
            _remove(f"{parent}/{name}")


def _remove(group: str) -> None:
    for _ in range(1000):
        foreign = _kill_members(f"{group}/cgroup.procs")
        try:
            os.rmdir(group)
        except OSError as error:
            if error.errno != errno.EBUSY or foreign:
                return
            time.sleep(0.001)  # the kernel tells nobody when a killed process has left a version 1 cgroup
        else:
            return


def _entries(parent: str) -> list[str]:
    try:
        return [name for name in os.listdir(parent) if name.startswith("pyd-")]
    except OSError:
        return []


def _kill_members(path: str) -> bool:
    """Kills a cgroup's members; True where some are of another pid namespace and can't be killed from here."""
    try:
        with open(path) as members:
            pids = [int(pid) for pid in members.read().split()]
    except OSError:
        return False
    for pid in pids:
        if pid != 0:  # to kill(2) it would be our own process group
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    return 0 in pids
