"""Planning and clearing away cgroups, on folders that look like the kernel's."""

from __future__ import annotations

import os
from pathlib import Path

from pyd_core.debug.cgroup import DEFAULT_DEVICES, plan_groups, remove_stale
from pyd_core.linux.process import ProcessEntry

MEMORY = 8 << 30


def test_version_2_takes_one_group_with_the_controllers_there_are(tmp_path: Path):
    (tmp_path / "cgroup.controllers").write_text("cpu memory pids\n")
    (tmp_path / "cgroup.subtree_control").write_text("memory pids")
    groups = plan_groups(str(tmp_path), host_memory=MEMORY)
    limits = [("memory.max", str(2 << 30)), ("pids.max", "4096")]
    devices = {"source": f"{tmp_path}/", "rules": DEFAULT_DEVICES}
    assert groups == [{"parent": str(tmp_path), "limits": limits, "devices": devices}]


def test_version_2_has_device_rules_but_for_a_privileged_target_that_has_none(tmp_path: Path):
    """Sessions on version 2 had no device rules at all."""
    (tmp_path / "cgroup.controllers").write_text("")
    cgroups = "0::/system.slice/docker-abc.scope\n"
    (ordinary,) = plan_groups(str(tmp_path), cgroups, host_memory=MEMORY)
    (privileged,) = plan_groups(str(tmp_path), cgroups, host_memory=MEMORY, privileged=True)
    (staged,) = plan_groups(str(tmp_path), "0::/user.slice\n", host_memory=MEMORY, devices="c 1:3 rwm\n")
    source = f"{tmp_path}/system.slice/docker-abc.scope"
    assert ordinary["devices"] == {"source": source, "rules": DEFAULT_DEVICES}
    assert privileged["devices"] == {"source": source, "rules": ""}
    assert staged["devices"] == {"source": "", "rules": "c 1:3 rwm\n"}


def test_version_1_takes_a_group_a_hierarchy_and_the_targets_devices(tmp_path: Path):
    for name in ("memory", "pids", "devices"):
        (tmp_path / name).mkdir()
    memory, pids, devices = plan_groups(str(tmp_path), host_memory=MEMORY, devices="c 1:3 rwm\nc 5:2 rwm\n")
    assert memory == {"parent": f"{tmp_path}/memory", "limits": [("memory.limit_in_bytes", str(2 << 30))]}
    assert pids["limits"] == [("pids.max", "4096")]
    assert devices["limits"] == [("devices.deny", "a"), ("devices.allow", "c 1:3 rwm"), ("devices.allow", "c 5:2 rwm")]


def test_no_cgroups_are_planned_where_none_can_be_made(tmp_path: Path):
    assert plan_groups(str(tmp_path / "nothing"), host_memory=MEMORY) == []


def test_the_targets_devices_are_found_by_its_cgroup(tmp_path: Path):
    (tmp_path / "devices/docker/abc").mkdir(parents=True)
    (tmp_path / "devices/docker/abc/devices.list").write_text("c 1:3 rwm\n")
    (group,) = plan_groups(str(tmp_path), "5:devices:/docker/abc\n0::/x:y\n", host_memory=MEMORY)
    assert group["limits"] == [("devices.deny", "a"), ("devices.allow", "c 1:3 rwm")]


def test_a_session_as_the_target_has_its_limits_and_none_wider_than_its_own(tmp_path: Path):
    """A session as its target had four thousand processes where the target may have twenty, and every processor."""
    for name, file, value in (
        ("memory", "memory.limit_in_bytes", "9223372036854771712"),
        ("pids", "pids.max", "20"),
        ("cpu", "cpu.cfs_quota_us", "50000"),
        ("cpu", "cpu.cfs_period_us", "100000"),
        ("cpuset", "cpuset.cpus", "1"),
        ("cpuset", "cpuset.mems", "0"),
    ):
        (tmp_path / name / "docker").mkdir(parents=True, exist_ok=True)
        (tmp_path / name / "docker" / file).write_text(f"{value}\n")
    (tmp_path / "cpuset/cpuset.cpus").write_text("0-1\n")
    cgroups = "".join(f"1:{name}:/docker\n" for name in ("memory", "pids", "cpu", "cpuset"))
    planned = plan_groups(str(tmp_path), cgroups, host_memory=MEMORY, limited=True)
    limits = {group["parent"].rpartition("/")[2]: group["limits"] for group in planned}
    assert limits == {
        "memory": [("memory.limit_in_bytes", str(2 << 30))],
        "pids": [("pids.max", "20")],
        "cpu": [("cpu.cfs_period_us", "100000"), ("cpu.cfs_quota_us", "50000")],
        "cpuset": [("cpuset.cpus", "1"), ("cpuset.mems", "0")],
    }


def test_only_groups_of_dead_supervisors_of_this_pid_namespace_are_removed(tmp_path: Path):
    here = Path("/proc/self/ns/pid").stat().st_ino
    with ProcessEntry(os.getpid()) as entry:
        alive = tmp_path / f"pyd-{here}-{os.getpid()}-{entry.start}"
        recycled = tmp_path / f"pyd-{here}-{os.getpid()}-{entry.start + 1}"
    foreign = [tmp_path / name for name in ("pyd-1", "pyd-a-b-c", "docker", "pyd-1-2", f"pyd-{here + 1}-4194305-7")]
    for directory in (alive, recycled, tmp_path / f"pyd-{here}-4194305-7", *foreign):
        directory.mkdir()
    remove_stale([str(tmp_path), str(tmp_path / "missing")])
    assert sorted(tmp_path.iterdir()) == sorted([alive, *foreign])


def test_processes_of_other_pid_namespaces_in_a_dead_group_are_left_alone(tmp_path: Path):
    here = Path("/proc/self/ns/pid").stat().st_ino
    group = tmp_path / f"pyd-{here}-4194305-7"
    group.mkdir()
    (group / "cgroup.procs").write_text("0\n")  # to kill(2) this would be the caller's own process group
    remove_stale([str(tmp_path)])
    assert group.exists()
