"""Checks of the kernel: tracing, namespaces, mounts, BTF, cgroups; below a root, so that tests have their own."""

from __future__ import annotations

import errno
import os
import platform
import re
from pathlib import Path

from pyd_core.debug.doctor.check import BLOCKER, OK, UNKNOWN, WARNING, Check
from pyd_core.debug.sessions.credentials import mask
from pyd_core.linux.process import Status

OLDEST: tuple[int, int] = (5, 12)
"""The first Linux with mount_setattr(2)."""

NEEDED = ("sys_admin", "sys_ptrace", "sys_chroot", "setuid", "setgid", "setpcap")
"""The capabilities needed to enter a container from here."""


def check_capabilities(own: Status) -> Check:
    """Check whether this process may enter containers without a helper."""
    lacking = [name for name in NEEDED if not own.effective & mask(name)]
    if own.uid != 0 or lacking:
        finding = "pyd isn't root here" if own.uid != 0 else f"this root lacks {', '.join(lacking)}"
        remedy = "a helper container of the engine's is used; sudo spares it"
        return Check(name="capabilities", state=WARNING, finding=finding, remedy=remedy)
    return Check(name="capabilities", state=OK, finding="all that entering requires")


def check_ptrace(root: Path, own: Status) -> Check:
    """Check whether Yama lets strace, gdb and their like attach."""
    scope = _read(root / "proc/sys/kernel/yama/ptrace_scope")
    if scope is None:
        return Check(name="ptrace-yama", state=OK, finding="no Yama in this kernel")
    meaning = {"0": "any own process", "1": "descendants, or with CAP_SYS_PTRACE", "2": "with CAP_SYS_PTRACE alone"}
    if scope == "3":
        remedy = "it stays so until the next boot; set kernel.yama.ptrace_scope=1 in /etc/sysctl.d for that"
        return Check(
            name="ptrace-yama", state=BLOCKER, finding="ptrace_scope 3: no process may trace another", remedy=remedy
        )
    allowed = scope == "0" or bool(own.effective & mask("sys_ptrace"))
    return Check(
        name="ptrace-yama",
        state=OK if allowed else WARNING,
        finding=f"ptrace_scope {scope}: {meaning.get(scope, 'unknown to pyd')}",
        remedy="" if allowed else "sudo, or sysctl kernel.yama.ptrace_scope=0",
    )


def check_seccomp(own: Status) -> Check:
    """Check whether a system call filter is on pyd itself, as in a container."""
    if own.seccomp == 0:
        return Check(name="seccomp", state=OK, finding="no filter on pyd")
    return Check(
        name="seccomp",
        state=WARNING,
        finding="pyd runs under a system call filter, as in a container; it may forbid mounting and setns, and it "
        "keeps --as target from taking a container's filter over",
        remedy="run pyd outside, or its container with --security-opt seccomp=unconfined and --privileged",
    )


def check_apparmor(root: Path) -> Check:
    """Check whether AppArmor confines pyd."""
    if (_read(root / "sys/module/apparmor/parameters/enabled") or "N") != "Y":
        return Check(name="apparmor", state=OK, finding="not in use")
    label = _read(root / "proc/self/attr/apparmor/current") or _read(root / "proc/self/attr/current") or "unconfined"
    if label.startswith("unconfined"):
        return Check(name="apparmor", state=OK, finding="in use; pyd is unconfined")
    return Check(
        name="apparmor",
        state=BLOCKER,
        finding=f"pyd is confined by {label}",
        remedy="run pyd outside of that profile; in a container, with --security-opt apparmor=unconfined",
    )


def check_selinux(root: Path) -> Check:
    """Check whether SELinux is enforcing."""
    enforcing = _read(root / "sys/fs/selinux/enforce")
    if enforcing != "1":
        return Check(name="selinux", state=OK, finding="not in use" if enforcing is None else "permissive")
    label = (_read(root / "proc/self/attr/current") or "").rstrip("\0")
    free = ":unconfined_t:" in label or ":spc_t:" in label
    return Check(
        name="selinux",
        state=OK if free else WARNING,
        finding=f"enforcing; pyd is {label or 'unlabelled'}",
        remedy="" if free else "run pyd from an unconfined login, or its container with --security-opt label=disable",
    )


def check_namespaces(root: Path) -> Check:
    """Check whether unprivileged users can create user namespaces, which rootless engines need."""
    limit = _read(root / "proc/sys/user/max_user_namespaces")
    if limit is None or limit == "0":
        remedy = "sysctl user.max_user_namespaces=10000"
        return Check(name="user-namespaces", state=WARNING, finding="none: rootless engines can't work", remedy=remedy)
    for name, off in (("unprivileged_userns_clone", "0"), ("apparmor_restrict_unprivileged_userns", "1")):
        if _read(root / f"proc/sys/kernel/{name}") == off:
            finding = f"for root alone (kernel.{name}={off})"
            remedy = f"for rootless engines: sysctl kernel.{name}={1 - int(off)}"
            return Check(name="user-namespaces", state=WARNING, finding=finding, remedy=remedy)
    return Check(name="user-namespaces", state=OK, finding=f"up to {limit}")


def check_mounts(release: str | None = None) -> Check:
    """Check whether the kernel has the mount calls that build a session's view (open_tree(2), mount_setattr(2))."""
    release = release or platform.release()
    match = re.match(r"(\d+)\.(\d+)", release)
    version: tuple[int, int] = (int(match[1]), int(match[2])) if match else (0, 0)
    if version < OLDEST:
        needed = ".".join(map(str, OLDEST))
        return Check(
            name="mount-api", state=BLOCKER, finding=f"Linux {release}", remedy=f"Linux {needed} or newer is needed"
        )
    return Check(name="mount-api", state=OK, finding=f"Linux {release}")


def check_btf(root: Path) -> Check:
    """Check whether eBPF tools find the kernel's types."""
    if (root / "sys/kernel/btf/vmlinux").exists():
        return Check(name="btf", state=OK, finding="there")
    remedy = "a kernel with CONFIG_DEBUG_INFO_BTF; strace and perf work without"
    return Check(name="btf", state=WARNING, finding="none: bpftrace can't read the kernel's types", remedy=remedy)


def check_cgroups(root: Path) -> Check:
    """Check the version of cgroups, and whether a session can have one of its own."""
    mount = root / "sys/fs/cgroup"
    if (mount / "cgroup.controllers").exists():
        version, group = "2", mount
    elif (mount / "memory").is_dir():
        version, group = "1", mount / "memory"
    else:
        return Check(name="cgroup", state=UNKNOWN, finding="none is mounted at /sys/fs/cgroup")
    if os.access(group, os.W_OK):
        return Check(name="cgroup", state=OK, finding=f"version {version}; a session gets one of its own")
    return Check(
        name="cgroup",
        state=WARNING,
        finding=f"version {version}, and not writable: what a session takes counts as this terminal's",
        remedy="run pyd debug as root",
    )


def _read(path: Path) -> str | None:
    try:
        return path.read_text().strip()
    except OSError as error:
        return None if error.errno != errno.EACCES else ""
