"""The plan of a container's OCI specification."""

from __future__ import annotations

import dataclasses
from typing import Any

import msgspec
import pytest

from pyd_core.daemon.containers import capabilities
from pyd_core.daemon.containers.oci_spec import Identity, Security, SpecInputs, plan
from pyd_core.daemon.containers.record import ContainerRecord, MountRecord
from pyd_core.daemon.runtime.planned_spec import PlannedDevice, PlannedSpec, PlannedSpecMount
from pyd_core.errors import InvalidInput
from pyd_core.linux.userns import IdMap, IdRange
from pyd_core.model.container_config import ContainerConfig
from pyd_core.model.host_config import HostConfig
from pyd_core.model.resources import DeviceMapping, Ulimit

FACTS = SpecInputs(
    rootfs="/merged",
    identity=Identity(),
    cgroup="/pyd/id",
    unified=True,
    arch="amd64",
    kernel="6.12.0",
    files={"/etc/hosts": "/c/hosts"},
)


def record(
    *, mounts: list[MountRecord] | None = None, config: ContainerConfig | None = None, **host: Any
) -> ContainerRecord:
    return ContainerRecord(
        id="a" * 64,
        name="name",
        created_ns=0,
        image_id="sha256:" + "b" * 64,
        image="image",
        layers=[],
        config=config or ContainerConfig(cmd=["/app"], hostname="host", working_dir="/"),
        host=HostConfig(**host),
        mounts=mounts or [],
    )


def mount(planned: PlannedSpec, target: str) -> PlannedSpecMount:
    return next(mount for mount in planned["mounts"] if mount["destination"] == target)


def test_a_user_namespace_has_ids_of_its_own():
    ids = IdMap(users=(IdRange(0, 100000, 65536),), groups=(IdRange(0, 200000, 65536),))
    volumes = [MountRecord(kind="volume", target=f"/{name}", source=f"/v/{name}", volume=name) for name in ("a", "b")]
    facts = dataclasses.replace(FACTS, ids=ids, volumes={"a": "/seen/a"})
    planned = plan(record(mounts=volumes), facts)
    assert planned["linux"]["uidMappings"] == [{"containerID": 0, "hostID": 100000, "size": 65536}]
    assert planned["linux"]["gidMappings"] == [{"containerID": 0, "hostID": 200000, "size": 65536}]
    assert planned["linux"]["namespaces"][0] == {"type": "user"}
    assert "net.ipv4.ping_group_range" not in planned["linux"]["sysctl"]
    assert [mount(planned, f"/{name}")["source"] for name in ("a", "b")] == ["/seen/a", "/v/b"]
    joined = plan(record(), dataclasses.replace(facts, namespaces={"user": "/proc/7/ns/user"}))
    assert joined["linux"]["namespaces"][0] == {"type": "user", "path": "/proc/7/ns/user"}


def test_without_one_nothing_is_said_of_ids():
    planned = plan(record(), FACTS)
    assert not {"uidMappings", "gidMappings"} & planned["linux"].keys()
    assert "user" not in {namespace["type"] for namespace in planned["linux"]["namespaces"]}
    assert planned["linux"]["sysctl"]["net.ipv4.ping_group_range"] == "0 2147483647"


def test_the_default_rights_are_dockers():
    planned = plan(record(), FACTS)
    assert len(planned["process"]["capabilities"]["bounding"]) == 14
    assert "inheritable" not in planned["process"]["capabilities"]
    assert "/proc/kcore" in planned["linux"]["maskedPaths"]
    assert "/proc/sys" in planned["linux"]["readonlyPaths"]
    assert planned["linux"]["seccomp"]["defaultAction"] == "SCMP_ACT_ERRNO"
    assert planned["linux"]["resources"]["devices"][0] == {"allow": False, "access": "rwm"}
    assert mount(planned, "/sys")["options"][-1] == "ro"


def test_seccomp_opens_calls_only_with_their_capability():
    names = {
        name for rule in capabilities.seccomp(["CAP_CHOWN"], "amd64", "6.12.0")["syscalls"] for name in rule["names"]
    }
    more = {
        name
        for rule in capabilities.seccomp(["CAP_SYS_ADMIN"], "amd64", "6.12.0")["syscalls"]
        for name in rule["names"]
    }
    assert "mount" not in names
    assert "mount" in more
    assert "arch_prctl" in names
    assert "arm_fadvise64_64" not in names


def test_a_privileged_container_has_no_confinement():
    planned = plan(record(privileged=True), FACTS)
    assert "seccomp" not in planned["linux"]
    assert "maskedPaths" not in planned["linux"]
    assert planned["linux"]["resources"]["devices"] == [{"allow": True, "access": "rwm"}]
    assert "CAP_SYS_ADMIN" in planned["process"]["capabilities"]["effective"]


def test_a_user_other_than_root_has_capabilities_only_in_the_bounding_set():
    facts = dataclasses.replace(FACTS, identity=Identity(uid=1000, gid=1000))
    assert list(plan(record(), facts)["process"]["capabilities"]) == ["bounding"]


def test_capabilities_are_dropped_and_added():
    planned = plan(record(cap_drop=["ALL"], cap_add=["net_admin", "CAP_CHOWN"]), FACTS)
    assert planned["process"]["capabilities"]["bounding"] == ["CAP_CHOWN", "CAP_NET_ADMIN"]
    with pytest.raises(InvalidInput):
        capabilities.capabilities(add=["NOSUCH"], drop=[], privileged=False)


def test_limits_become_the_specifications():
    planned = plan(record(memory=64 << 20, nano_cpus=1_500_000_000, pids_limit=9, cpuset_cpus="0-1"), FACTS)
    resources = planned["linux"]["resources"]
    assert resources["memory"] == {"limit": 64 << 20, "swap": 128 << 20}
    assert resources["cpu"] == {"period": 100_000, "quota": 150_000, "cpus": "0-1"}
    assert resources["pids"] == {"limit": 9}


def test_ulimits_of_minus_one_are_unlimited():
    planned = plan(record(ulimits=[Ulimit(name="nofile", soft=5, hard=-1)]), FACTS)
    assert planned["process"]["rlimits"] == [{"type": "RLIMIT_NOFILE", "soft": 5, "hard": (1 << 64) - 1}]


def test_mounts_are_ordered_so_that_none_hides_another():
    inner = MountRecord(kind="bind", target="/a/b", source="/x")
    outer = MountRecord(kind="tmpfs", target="/a", options=["size=1m"])
    targets = [mount["destination"] for mount in plan(record(mounts=[inner, outer]), FACTS)["mounts"]]
    assert targets.index("/a") < targets.index("/a/b")


def test_a_mount_on_a_directory_does_not_hide_what_the_engine_mounts_within():
    mounts = [MountRecord(kind="volume", target=target, source="/x") for target in ("/etc/", "/sbin")]
    targets = [mount["destination"] for mount in plan(record(mounts=mounts, init=True), FACTS)["mounts"]]
    assert targets.index("/etc/") < targets.index("/etc/hosts")
    assert targets.index("/sbin") < targets.index("/sbin/docker-init")


def test_a_bind_keeps_its_sources_mount_flags_and_is_recursive_unless_disabled():
    whole = MountRecord(kind="bind", target="/a", source="/x")
    alone = MountRecord(kind="bind", target="/b", source="/y", recursive=False, propagation="rslave")
    facts = dataclasses.replace(FACTS, required_options={"/a": ("ro", "nosuid", "noexec"), "/b": ("nodev",)})
    planned = plan(record(mounts=[whole, alone]), facts)
    assert mount(planned, "/a")["options"] == ["rbind", "rprivate", "ro", "nosuid", "noexec"]
    assert mount(planned, "/b")["options"] == ["bind", "slave", "rw", "nodev"]


def test_a_mount_of_the_users_takes_the_place_of_the_engines():
    planned = plan(record(mounts=[MountRecord(kind="bind", target="/etc/hosts", source="/own")]), FACTS)
    assert [mount["source"] for mount in planned["mounts"] if mount["destination"] == "/etc/hosts"] == ["/own"]


def test_read_only_root_makes_the_engines_files_read_only_too():
    planned = plan(record(readonly_rootfs=True), FACTS)
    assert planned["root"]["readonly"] is True
    assert "ro" in mount(planned, "/etc/hosts")["options"]


def test_shared_namespaces_are_joined_and_host_ones_left_out():
    facts = dataclasses.replace(FACTS, namespaces={"network": "/ns/net"})
    namespaces = plan(record(pid_mode="host", uts_mode="host"), facts)["linux"]["namespaces"]
    assert {"type": "network", "path": "/ns/net"} in namespaces
    assert not {"pid", "uts"} & {namespace["type"] for namespace in namespaces}
    assert "hostname" not in plan(record(uts_mode="host"), FACTS)


def test_environment_holds_the_users_values_over_the_engines():
    config = ContainerConfig(cmd=["x"], hostname="h", env=["PATH=/own", "A=b"], tty=True, working_dir="/")
    env = plan(record(config=config), FACTS)["process"]["env"]
    assert "PATH=/own" in env
    assert "TERM=xterm" in env
    assert "HOSTNAME=h" in env
    assert sum(entry.startswith("PATH=") for entry in env) == 1


def test_init_runs_before_the_command():
    facts = dataclasses.replace(FACTS, init="/usr/bin/tini")
    planned = plan(record(init=True), facts)
    assert planned["process"]["args"] == ["/sbin/docker-init", "--", "/app"]
    assert mount(planned, "/sbin/docker-init")["source"] == "/usr/bin/tini"


def test_devices_are_allowed_with_the_rights_they_were_given():
    device = PlannedDevice(path="/dev/fuse", type="c", major=10, minor=229, fileMode=0o666, uid=0, gid=0)
    facts = dataclasses.replace(FACTS, devices=[device])
    requested = [DeviceMapping(path_on_host="/dev/fuse", path_in_container="/dev/fuse", cgroup_permissions="r")]
    rules = plan(record(devices=requested), facts)["linux"]["resources"]["devices"]
    assert {"allow": True, "type": "c", "major": 10, "minor": 229, "access": "r"} in rules


def test_security_options_are_read_and_unknown_ones_refused():
    security = Security.parse(["no-new-privileges", "seccomp=unconfined", "systempaths=unconfined"])
    assert (security.no_new_privileges, security.seccomp, security.masked) == (True, "unconfined", False)
    with pytest.raises(InvalidInput):
        Security.parse(["nosuch=1"])


def test_a_record_survives_the_store():
    before = record(memory=7 << 20, mounts=[MountRecord(kind="tmpfs", target="/x")])
    assert msgspec.json.decode(msgspec.json.encode(before), type=ContainerRecord) == before


@pytest.mark.parametrize(
    ("profile", "planned"), [("docker-default", "docker-default"), ("unconfined", None), ("", None)]
)
def test_the_main_process_is_under_its_apparmor_profile(profile: str, planned: str | None):
    facts = dataclasses.replace(FACTS, apparmor=profile)
    assert plan(record(), facts)["process"].get("apparmorProfile") == planned
