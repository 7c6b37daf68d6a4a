"""Each blocker, made by hand, is found and named with its remedy."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from pyd_core.debug.doctor import kernel
from pyd_core.debug.doctor.check import BLOCKER, OK, UNKNOWN, WARNING
from pyd_core.debug.doctor.examine import examine, first_blocker
from pyd_core.debug.sessions.credentials import mask
from pyd_core.errors import NoEngine
from pyd_core.linux.process import Status

ROOT = Status(
    uid=0,
    gid=0,
    groups=(),
    inheritable=0,
    permitted=mask(*kernel.NEEDED),
    effective=mask(*kernel.NEEDED),
    bounding=0,
    ambient=0,
    no_new_privileges=False,
    seccomp=0,
)
USER = msgspec.structs.replace(ROOT, uid=1000, effective=0)


def put(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{text}\n")


@pytest.mark.parametrize(
    ("scope", "own", "state"),
    [("0", USER, OK), ("1", ROOT, OK), ("1", USER, WARNING), ("2", USER, WARNING), ("3", ROOT, BLOCKER)],
)
def test_yama(tmp_path: Path, scope: str, own: Status, state: str):
    put(tmp_path, "proc/sys/kernel/yama/ptrace_scope", scope)
    check = kernel.check_ptrace(tmp_path, own)
    assert (check.name, check.state) == ("ptrace-yama", state)
    assert bool(check.remedy) == (state != OK)


def test_seccomp_apparmor_and_selinux(tmp_path: Path):
    assert kernel.check_seccomp(ROOT).state == OK
    assert "seccomp=unconfined" in kernel.check_seccomp(msgspec.structs.replace(ROOT, seccomp=2)).remedy
    assert kernel.check_apparmor(tmp_path).state == OK
    put(tmp_path, "sys/module/apparmor/parameters/enabled", "Y")
    put(tmp_path, "proc/self/attr/current", "docker-default (enforce)")
    confined = kernel.check_apparmor(tmp_path)
    assert (confined.state, "docker-default" in confined.finding) == (BLOCKER, True)
    put(tmp_path, "proc/self/attr/apparmor/current", "unconfined")
    assert kernel.check_apparmor(tmp_path).state == OK
    assert kernel.check_selinux(tmp_path).state == OK
    put(tmp_path, "sys/fs/selinux/enforce", "1")
    put(tmp_path, "proc/self/attr/current", "system_u:system_r:container_t:s0:c1,c2")
    assert kernel.check_selinux(tmp_path).state == WARNING
    put(tmp_path, "proc/self/attr/current", "unconfined_u:unconfined_r:unconfined_t:s0")
    assert kernel.check_selinux(tmp_path).state == OK


def test_capabilities_namespaces_mounts_btf_and_cgroups(tmp_path: Path):
    assert kernel.check_capabilities(ROOT).state == OK
    assert "isn't root" in kernel.check_capabilities(USER).finding
    assert "sys_admin" in kernel.check_capabilities(msgspec.structs.replace(ROOT, effective=0)).finding
    assert kernel.check_namespaces(tmp_path).state == WARNING
    put(tmp_path, "proc/sys/user/max_user_namespaces", "100")
    assert kernel.check_namespaces(tmp_path).state == OK
    put(tmp_path, "proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1")
    assert kernel.check_namespaces(tmp_path).remedy.endswith("apparmor_restrict_unprivileged_userns=0")
    assert kernel.check_mounts("5.10.0-9-amd64").state == BLOCKER
    assert kernel.check_mounts("5.12.1").state == OK
    assert kernel.check_btf(tmp_path).state == WARNING
    put(tmp_path, "sys/kernel/btf/vmlinux", "")
    assert kernel.check_btf(tmp_path).state == OK
    assert kernel.check_cgroups(tmp_path).state == UNKNOWN
    put(tmp_path, "sys/fs/cgroup/cgroup.controllers", "memory pids")
    assert "version 2" in kernel.check_cgroups(tmp_path).finding


def test_the_first_blocker_in_order_is_named_and_warnings_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PYD_TOOLBOX", str(tmp_path / "none"))
    monkeypatch.setenv("PATH", "/nonexistent")
    put(tmp_path, "proc/self/status", Path("/proc/self/status").read_text())
    put(tmp_path, "proc/sys/kernel/yama/ptrace_scope", "0")
    checks = list(examine(NoEngine("no engine found", hint="start one"), root=tmp_path))
    names = [check.name for check in checks]
    assert names.index("ptrace-yama") < names.index("mount-api") < names.index("engine") < names.index("toolbox")
    blocker = first_blocker(checks)
    assert blocker is not None
    assert (blocker.name, blocker.remedy) == ("engine", "start one")
    assert {check.name for check in checks if check.state == BLOCKER} == {"engine", "toolbox"}
