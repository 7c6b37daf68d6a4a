"""The session's own cgroups: planned here, created by the supervisor (`sessions.cgroups`), removed after its end.

No tool then counts against the target's limits, and nothing of the session is frozen with a paused target. Names carry
the supervisor's pid namespace, pid and start time (`pyd-4026531836-1234-567890`), so what a killed supervisor left is
found and removed by the next session. The cgroups of another pid namespace may be in sight too, where pyd runs in a
container that sees its host's; pyd can't see from here which of those still have a supervisor.
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
    """`parent`: the directory to make it in; `limits`: pairs of a file and what to write, in order; `devices`: for
    `device_rules.take_device_rules`, on version 2."""

CGROUPS = "/sys/fs/cgroup"
_CONTROLLERS = ("memory", "pids", "devices")
_PROCESSORS = ("cpu", "cpuset")
_MEMORY_MAX, _MEMORY_LIMIT, _PIDS_MAX = "memory.max", "memory.limit_in_bytes", "pids.max"

DEFAULT_DEVICES = "".join(
    f"{rule}\n"
    for rule in (
        *("c *:* m", "b *:* m", "c 1:3 rwm", "c 1:5 rwm", "c 1:7 rwm", "c 1:8 rwm", "c 1:9 rwm"),
        *("c 5:0 rwm", "c 5:1 rwm", "c 5:2 rwm", "c 136:* rwm", "c 10:200 rwm"),
    )
)
"""The `devices.list` (cgroup version 1) of a container with no devices of its own."""

HOST_SHARE = 4
"""A session may take this part of the host's memory."""
MAX_PROCESSES = 4096


def parents(root: str = CGROUPS) -> list[str]:
    """Return the directories in which a session gets a cgroup of its own; none where this process may make none."""
    directories = (
        [root] if os.path.exists(f"{root}/cgroup.controllers") else [f"{root}/{name}" for name in _CONTROLLERS]
    )
    return [directory for directory in directories if os.access(directory, os.W_OK)]


def used(root: str = CGROUPS) -> list[str]:
    """Return the directories in which a session may have had a cgroup."""
    folders = parents(root)
    return folders if root in folders else [*folders, *(f"{root}/{name}" for name in _PROCESSORS)]


def plan_groups(
    root: str,
    cgroups: str = "",
    *,
    host_memory: int,
    devices: str | None = None,
    privileged: bool = False,
    limited: bool = False,
) -> list[Group]:
    """Return the cgroups to make; none where this process may make none.

    Args:
        root: The mount of cgroups, `/sys/fs/cgroup`.
        cgroups: The target's `/proc/PID/cgroup`.
        host_memory: Bytes.
        devices: Devices of the session, in the format of `devices.list` (version 1); None is the target's.
        privileged: Whether it may be that the target has no device rules.
        limited: Whether the target's limits of memory, processes and processors are the session's too.
    """
    own = {"memory": host_memory // HOST_SHARE, "pids": MAX_PROCESSES}
    directories = parents(root)
    paths = _paths(cgroups)
    if root in directories:
        enabled = _enable(root, _CONTROLLERS[:2] + (_PROCESSORS if limited else ()))
        target = f"{root}{paths.get('', '/')}"
        limits = [
            (file, str(own[name])) for name, file in (("memory", _MEMORY_MAX), ("pids", _PIDS_MAX)) if name in enabled
        ]
        if limited:
            limits = _unified_limits(target, dict(limits), enabled)
        rules: dict[str, Any] = {"source": target, "rules": devices or ("" if privileged else DEFAULT_DEVICES)}
        if devices is not None:
            rules["source"] = ""
        return [{"parent": root, "limits": limits, "devices": rules}]
    plans = {"memory": [(_MEMORY_LIMIT, str(own["memory"]))], "pids": [(_PIDS_MAX, str(own["pids"]))]}
    if devices is None:
        devices = _read(f"{root}/devices{paths['devices']}/devices.list") if "devices" in paths else None
    if devices is None and "devices" in paths and not privileged:
        devices = DEFAULT_DEVICES
    if devices is not None:
        allowed = [("devices.allow", line) for line in devices.splitlines() if line]
        plans["devices"] = [("devices.deny", "a"), *allowed]
    if limited:
        plans |= _version_1_limits(root, paths, plans)
        directories += [f"{root}/{name}" for name in plans if f"{root}/{name}" not in directories]
    return [{"parent": directory, "limits": plans.get(os.path.basename(directory), [])} for directory in directories]


def _paths(cgroups: str) -> dict[str, str]:
    """Return the paths of a process's cgroups by controller; that of version 2 has no name."""
    paths: dict[str, str] = {}
    for line in cgroups.splitlines():
        _, controllers, path = line.split(":", 2)
        paths |= dict.fromkeys(controllers.split(","), path)
    return paths


def _unified_limits(target: str, limits: dict[str, str], enabled: set[str]) -> list[tuple[str, str]]:
    """Return a session's limits where they are to be the target's too, and no wider than its own."""
    for file in (_MEMORY_MAX, _PIDS_MAX):
        limit = _number(_read(f"{target}/{file}"))
        if file in limits and limit is not None:
            limits[file] = str(min(limit, int(limits[file])))
    for controller, files in (("cpu", ("cpu.max", "cpu.weight")), ("cpuset", ("cpuset.cpus", "cpuset.mems"))):
        if controller in enabled:
            limits |= {file: text for file in files if (text := (_read(f"{target}/{file}") or "").strip())}
    return list(limits.items())


def _version_1_limits(
    root: str, paths: dict[str, str], plans: dict[str, list[tuple[str, str]]]
) -> dict[str, list[tuple[str, str]]]:
    """Return what of a session's limits the target's narrow, by the directory of the hierarchy."""
    limits: dict[str, list[tuple[str, str]]] = {}
    for name, file in (("memory", _MEMORY_LIMIT), ("pids", _PIDS_MAX)):
        limit = _number(_read(f"{root}/{name}{paths.get(name, '')}/{file}"))
        if limit is not None:
            limits[name] = [(file, str(min(limit, int(plans[name][0][1]))))]
    quota = _number(_read(f"{root}/cpu{paths.get('cpu', '')}/cpu.cfs_quota_us"))
    if quota is not None:
        period = (_read(f"{root}/cpu{paths['cpu']}/cpu.cfs_period_us") or "100000").strip()
        limits["cpu"] = [("cpu.cfs_period_us", period), ("cpu.cfs_quota_us", str(quota))]
    whole = _read(f"{root}/cpuset/cpuset.cpus")
    own = _read(f"{root}/cpuset{paths.get('cpuset', '')}/cpuset.cpus")
    if own and own != whole:
        memories = (_read(f"{root}/cpuset{paths['cpuset']}/cpuset.mems") or "0").strip()
        limits["cpuset"] = [("cpuset.cpus", own.strip()), ("cpuset.mems", memories)]
    return limits


def _number(text: str | None) -> int | None:
    """Return a limit's number; None where there is none."""
    plain = (text or "").strip()
    return int(plain) if plain.isdecimal() else None


def _read(path: str) -> str | None:
    try:
        with open(path, encoding="ascii") as file:
            return file.read()
    except OSError:
        return None


def _enable(root: str, names: tuple[str, ...]) -> set[str]:
    """Make controllers available below the root (cgroup v2); return all that are."""
    enabled = _controllers(root)
    for name in sorted(set(names) - enabled):
        with contextlib.suppress(OSError), open(f"{root}/cgroup.subtree_control", "w", encoding="ascii") as control:
            control.write(f"+{name}")
    return _controllers(root)


def _controllers(root: str) -> set[str]:
    try:
        with open(f"{root}/cgroup.subtree_control", encoding="ascii") as control:
            return set(control.read().split())
    except OSError:
        return set()


def remove_stale(parents: list[str]) -> None:
    """Remove cgroups of sessions whose supervisor was killed, and kill what still runs in them."""
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
            time.sleep(0.001)  # the kernel sends no event when a killed process has left a version 1 cgroup
        else:
            return


def _entries(parent: str) -> list[str]:
    try:
        return [name for name in os.listdir(parent) if name.startswith("pyd-")]
    except OSError:
        return []


def _kill_members(path: str) -> bool:
    """Kill a cgroup's members; True where some are of another pid namespace and can't be killed from here."""
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
