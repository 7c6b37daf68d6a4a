"""The lines of `--explain`: the way in, the session's rights, and the limits of the target it doesn't adopt."""

from __future__ import annotations

import os
from typing import Any

from pyd_core.debug.plan import shared_namespaces
from pyd_core.debug.sessions.credentials import names, withheld
from pyd_core.debug.target import LocalTarget
from pyd_core.linux.process import Status
from pyd_core.model.container import Container
from pyd_core.sanitise import safe

_KINDS = ("user", "mnt", "pid", "net", "ipc", "uts", "cgroup", "time")


def explain(target: LocalTarget, plan: dict[str, Any]) -> list[str]:
    """Return lines for the user.

    Args:
        target: The container.
        plan: As `plan.make_plan` made it.
    """
    own = {kind: _identity(f"/proc/self/ns/{kind}") for kind in _KINDS}
    theirs = {kind: _identity(f"/proc/{plan['pid']}/ns/{kind}") for kind in _KINDS}
    joined = [kind for kind in _KINDS if theirs[kind] != own[kind]]
    who = plan["credentials"]
    status = target.process.status()
    lines = [
        f"way in: local root, process {plan['pid']} of {target.name}; its namespaces {', '.join(joined)} are entered",
        f"files: a private copy of its mounts; in this copy alone, {plan['toolbox']} is at {plan['prefix']}",
        f"user {who['uid']}, group {who['gid']}, capabilities: {', '.join(names(who['effective'])) or 'none'}",
        _limits(plan["groups"]),
    ]
    shared = shared_namespaces(target.process)
    if lacking := withheld(shared) & ~who["bounding"]:
        lines.append(
            f"not given, as its namespaces {', '.join(shared)} are this machine's: {', '.join(names(lacking))}; "
            "--cap-add NAME gives one"
        )
    if not plan["confined"]:
        lines.append("a seccomp filter of its own: no user namespaces, keys, kernel modules, files by handle")
    if plan["writable"]:
        lines.append("its root file system is writable in this session, and still read-only for the container")
    return [*lines, *confinement(target.container, status, confined=plan["confined"])]


def confinement(container: Container, status: Status, *, confined: bool) -> list[str]:
    """Return lines on what confines a container's system calls, and whether that holds for the session.

    Args:
        container: The engine's inspect data.
        status: Of its main process; of what holds its place where it doesn't run.
        confined: Whether the session takes over what it can.
    """
    lines: list[str] = []
    unfiltered = container.host_config.privileged or "seccomp=unconfined" in container.host_config.security_opt
    if container.id and not container.state.pid and not unfiltered:
        lines.append("not taken over: the seccomp filter it gets with its start; a clone by --hold has it")
    for what, there in (
        ("seccomp filter", bool(status.seccomp)),
        ("AppArmor profile", container.app_armor_profile not in ("", "unconfined")),
    ):
        if there and confined:
            lines.append(f"taken over: its {what}")
        elif there:
            lines.append(f"not taken over: its {what}, which --as target takes over; the session may do more than it")
    if container.process_label:
        lines.append(f"not taken over: its security label {safe(container.process_label)}")
    return lines


def _limits(groups: list[dict[str, Any]]) -> str:
    limits = {file: value for group in groups for file, value in group["limits"]}
    memory = limits.get("memory.max") or limits.get("memory.limit_in_bytes")
    if memory is None:
        return "limits: none can be set on this machine; what the session takes is this terminal's"
    devices = _devices(groups)
    processes = limits.get("pids.max", "any number of")
    return f"limits of its own: {int(memory) >> 20} MB of memory, {processes} processes, {devices}"


def _devices(groups: list[dict[str, Any]]) -> str:
    if any("devices.deny" in dict(group["limits"]) for group in groups):
        return "the container's devices"
    rules = [group["devices"] for group in groups if group.get("devices")]
    if not rules:
        return "no device filter"
    if not rules[0]["source"]:
        return "the usual devices"
    return "the container's devices" if rules[0]["rules"] else "the container's devices, all where it has no filter"


def _identity(path: str) -> int:
    try:
        return os.stat(path).st_ino
    except OSError:
        return 0
