"""The privileges of a container's processes: capabilities, seccomp, masked paths. Docker's defaults."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import Any

from pyd_core.errors import InvalidInput

DEFAULT = """
CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL
AUDIT_WRITE
""".split()  # noqa: SIM905 - easier to read and to add to

ALL = """
CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE
NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT
SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP
MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE
""".split()  # noqa: SIM905 - easier to read and to add to
"""In the kernel's order, see capabilities(7)."""

MASKED = [
    "/proc/asound",
    "/proc/acpi",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/sys/firmware",
    "/sys/devices/virtual/powercap",
]
"""The default that inspect reports: Docker Engine's of the API version served."""
EXTRA_MASKED = ["/proc/interrupts"]
"""Masked besides the default, as by newer versions of Docker Engine: its counts reveal the timing of typed keys."""
READ_ONLY = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]


def _plain(names: Sequence[str], field: str) -> list[str]:
    names_in_caps = [name.upper().removeprefix("CAP_") for name in names]
    for name in names_in_caps:
        if name != "ALL" and name not in ALL:
            raise InvalidInput(f'invalid {field}: unknown capability: "CAP_{name[:40]}"')
    return names_in_caps


def capabilities(*, add: Sequence[str], drop: Sequence[str], privileged: bool) -> list[str]:
    """Return the capabilities a container gets, as `CAP_…` in the kernel's order.

    Raises:
        InvalidInput: One doesn't exist.
    """
    added, dropped = _plain(add, "CapAdd"), _plain(drop, "CapDrop")
    if privileged:
        chosen = set(ALL)
    else:
        chosen = set() if "ALL" in dropped else set(DEFAULT)
        if "ALL" in added:
            chosen = set(ALL)
        chosen |= set(added) - {"ALL"}
        chosen -= set(dropped)
    return [f"CAP_{name}" for name in ALL if name in chosen]


@cache
def possible() -> frozenset[str]:
    """Return the capabilities that this engine has itself, and so can grant: see `CapPrm` in proc_pid_status(5)."""
    with open("/proc/self/status", encoding="ascii", errors="replace") as file:  # noqa: PTH123 - a file of /proc
        mask = next(int(line.split()[1], 16) for line in file if line.startswith("CapPrm:"))
    return frozenset(f"CAP_{name}" for number, name in enumerate(ALL) if mask >> number & 1)


@cache
def _profile() -> dict[str, Any]:
    text = resources.files("pyd_core.daemon.containers").joinpath("seccomp.json").read_text()
    profile: dict[str, Any] = json.loads(text)
    return profile


def _applies(rule: dict[str, Any], held: set[str], arch: str, kernel: tuple[int, int]) -> bool:
    includes, excludes = rule.get("includes") or {}, rule.get("excludes") or {}
    if "arches" in includes and arch not in includes["arches"]:
        return False
    if "caps" in includes and not set(includes["caps"]) <= held:
        return False
    if "minKernel" in includes and kernel < release(includes["minKernel"]):
        return False
    if "arches" in excludes and arch in excludes["arches"]:
        return False
    if "caps" in excludes and set(excludes["caps"]) & held:
        return False
    return not ("minKernel" in excludes and kernel >= release(excludes["minKernel"]))


def release(text: str) -> tuple[int, int]:
    """Return the first two numbers of a kernel's release: (6, 12) of `6.12.4-amd64`."""
    major, _, minor = text.partition(".")
    return int(major), int(minor.split(".")[0].split("-")[0] or 0)


_RUNTIME_ARCH = {
    "amd64": "SCMP_ARCH_X86_64",
    "arm64": "SCMP_ARCH_AARCH64",
    "386": "SCMP_ARCH_X86",
    "arm": "SCMP_ARCH_ARM",
}


def seccomp(held: Sequence[str], arch: str, version: str, profile: dict[str, Any] | None = None) -> dict[str, Any]:
    """Convert a profile in Docker's form to the OCI runtime specification's.

    Args:
        held: Capabilities of the container; several calls are allowed only with one.
        arch: `amd64`, `arm64`, …
        version: The kernel's, as `uname -r` prints it.
        profile: Docker's default if left out.
    """
    chosen = profile if profile is not None else _profile()
    kernel = release(version)
    native = _RUNTIME_ARCH.get(arch, "")
    architectures = list(chosen.get("architectures") or [])
    for entry in chosen.get("archMap") or []:
        if entry["architecture"] == native:
            architectures += [native, *(entry.get("subArchitectures") or [])]
    rules: list[dict[str, Any]] = []
    for rule in chosen.get("syscalls") or []:
        if not _applies(rule, set(held), arch, kernel):
            continue
        kept = {key: rule[key] for key in ("action", "errnoRet") if rule.get(key) is not None}
        kept["names"] = rule.get("names") or [rule["name"]]
        if rule.get("args"):
            kept["args"] = rule["args"]
        rules.append(kept)
    converted: dict[str, Any] = {"defaultAction": chosen["defaultAction"], "syscalls": rules}
    if architectures:
        converted["architectures"] = architectures
    if chosen.get("defaultErrnoRet") is not None:
        converted["defaultErrnoRet"] = chosen["defaultErrnoRet"]
    return converted
