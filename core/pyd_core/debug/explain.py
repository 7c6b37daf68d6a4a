"""Saying how a session gets in, what it may do, and what of the target it doesn't take over."""

from __future__ import annotations

import os
from typing import Any

from pyd_core.debug.credentials import names
from pyd_core.debug.target import Target

_KINDS = ("user", "mnt", "pid", "net", "ipc", "uts", "cgroup")


def explain(target: Target, plan: dict[str, Any]) -> list[str]:
    """Returns lines for the user.

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
    if plan["writable"]:
        lines.append("its root file system is writable in this session, and still read-only for the container")
    if status.seccomp:
        lines.append("not taken over: its seccomp filter; the session may make system calls that the container may not")
    label = target.container.app_armor_profile or target.container.process_label
    if label and label != "unconfined":
        lines.append(f"not taken over: its security label {label}")
    return lines


def _limits(groups: list[dict[str, Any]]) -> str:
    limits = {file: value for group in groups for file, value in group["limits"]}
    memory = limits.get("memory.max") or limits.get("memory.limit_in_bytes")
    if memory is None:
        return "limits: none can be set on this machine; what the session takes is this terminal's"
    devices = "the container's devices" if "devices.deny" in limits else "no device filter"
    processes = limits.get("pids.max", "any number of")
    return f"limits of its own: {int(memory) >> 20} MB of memory, {processes} processes, {devices}"


def _identity(path: str) -> int:
    try:
        return os.stat(path).st_ino
    except OSError:
        return 0
