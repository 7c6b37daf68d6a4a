"""Checks of creation requests: each invalid field is refused by name before anything is created."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from pyd_core.daemon.containers import mount_rules, options, propagation
from pyd_core.daemon.containers.record import MountRecord
from pyd_core.daemon.runtime.runtime_choice import DOCKER_RUNTIME, Runtimes
from pyd_core.daemon.settings import RuntimeSettings
from pyd_core.errors import InvalidInput
from pyd_core.model.creation import CreateBody
from pyd_core.model.host_config import MountConfig


def body(host: dict[str, Any] | None = None, **more: Any) -> CreateBody:
    return msgspec.convert({"Image": "some", **more, "HostConfig": host or {}}, CreateBody)


@pytest.mark.parametrize(
    ("host", "says"),
    [
        ({"IpcMode": "foo"}, "invalid IPC mode: foo"),
        ({"IpcMode": "container:"}, "invalid IPC mode"),
        ({"PidMode": "private"}, "invalid PID mode"),
        ({"UTSMode": "container:x"}, "invalid UTS mode"),
        ({"CgroupnsMode": "foo"}, "invalid cgroup namespace mode: foo"),
        ({"Isolation": "hyperv"}, "only supports 'default'"),
        ({"NetworkMode": "container:"}, "container:<name"),
        ({"NetworkMode": "container:x", "Dns": ["1.2.3.4"]}, "dns and the network mode"),
        ({"NetworkMode": "container:x", "PortBindings": {"80/tcp": []}}, "port publishing"),
        ({"StorageOpt": {"size": "10G"}}, "no quota"),
        ({"StorageOpt": {"other": "1"}}, "Unknown option other"),
        ({"Annotations": {"": "x"}}, "annotation key"),
        ({"ConsoleSize": [-1, 5]}, "console size"),
        ({"Dns": ["x"]}, "bad nameserver address x"),
        ({"ExtraHosts": ["x:y"]}, "invalid IP address in add-host"),
        ({"Links": ["a:b:c"]}, "bad format for links"),
        ({"LogConfig": {"Type": "syslog"}}, 'plugin "syslog" not found'),
        ({"SecurityOpt": ["no-new-privileges=x"]}, "no-new-privileges=x"),
        ({"SecurityOpt": ["seccomp={}"]}, "defaultAction"),
        ({"SecurityOpt": ["seccomp=[]"]}, "defaultAction"),
        ({"MemoryReservation": 1}, "6MB"),
        ({"MemorySwap": -2}, "swap"),
        ({"CpuRealtimePeriod": 1, "CpuRealtimeRuntime": 5}, "real-time"),
        ({"Ulimits": [{"Name": "foo"}]}, "invalid ulimit type: foo"),
        ({"Ulimits": [{"Name": "nofile", "Soft": 5, "Hard": 1}]}, "5 > 1"),
        ({"Ulimits": [{"Name": "nofile", "Soft": -1, "Hard": 1}]}, "-1 > 1"),
        ({"BlkioWeightDevice": [{"Path": "/dev/x", "Weight": 5}]}, "from 10 to 1000"),
        ({"BlkioDeviceReadBps": [{"Path": "/dev/x", "Rate": -1}]}, "/dev/x"),
        ({"Devices": [{}]}, "PathOnHost"),
        ({"Devices": [{"PathOnHost": "/dev/null", "CgroupPermissions": "q"}]}, "device mode"),
        ({"PortBindings": {"80/tcp": [{"HostPort": "90-80"}]}}, "90-80"),
        ({"RestartPolicy": {"Name": "foo"}}, "unless-stopped"),
    ],
)
def test_a_choice_that_isnt_one_is_refused(host: dict[str, Any], says: str):
    with pytest.raises(InvalidInput) as refused:
        options.check(body(host), 2)
    assert says in f"{refused.value.message} {refused.value.hint}"


@pytest.mark.parametrize(
    "host",
    [
        {"IpcMode": "none"},
        {"IpcMode": "container:x", "PidMode": "host", "UTSMode": "host", "CgroupnsMode": "private"},
        {"ExtraHosts": ["x:host-gateway", "y:::1", "z:[::1]"], "Dns": ["::1"]},
        {"LogConfig": {"Type": "none", "Config": {"max-size": "1m"}}},
        {"Ulimits": [{"Name": "core", "Soft": -1, "Hard": -1}, {"Name": "nofile", "Soft": 5, "Hard": -1}]},
        {"SecurityOpt": ["no-new-privileges:false"]},
    ],
)
def test_options_that_docker_engine_accepts_are_accepted(host: dict[str, Any]):
    options.check(body(host), 2)


def test_a_hostname_is_refused_with_the_hosts_uts_namespace():
    with pytest.raises(InvalidInput, match="UTS mode"):
        options.check(body({"UTSMode": "host"}, Hostname="x"), 2)


@pytest.mark.parametrize("mode", ["ro,rw", "z,Z", "rshared,rslave", "foo", "cached,delegated", "ro,ro"])
def test_modes_of_a_bind_that_contradict_each_other_are_refused(mode: str):
    with pytest.raises(InvalidInput, match="invalid mode"):
        mount_rules.words(mode, named=False)


def test_some_modes_are_for_volumes_and_some_for_directories():
    assert mount_rules.words("ro,z,rslave", named=False) == ["ro", "z", "rslave"]
    assert mount_rules.words("ro,nocopy", named=True) == ["ro", "nocopy"]
    for mode, named in (("nocopy", False), ("rshared", True)):
        with pytest.raises(InvalidInput, match=mode):
            mount_rules.words(mode, named=named)


@pytest.mark.parametrize(
    ("mount", "says"),
    [
        ({"Type": "foo"}, "mount type unknown"),
        ({"Type": "bind", "Source": "/x", "Target": ""}, "Target must not be empty"),
        ({"Type": "bind"}, "Source must not be empty"),
        ({"Type": "bind", "Source": "x"}, "must be absolute"),
        ({"Type": "bind", "Source": "/x", "VolumeOptions": {}}, "VolumeOptions must not be specified"),
        ({"Type": "bind", "Source": "/x", "BindOptions": {"Propagation": "foo"}}, "propagation mode: foo"),
        ({"Type": "bind", "Source": "/x", "BindOptions": {"ReadOnlyForceRecursive": True}}, "read-only"),
        ({"Type": "volume", "BindOptions": {}}, "BindOptions must not be specified"),
        ({"Type": "volume", "VolumeOptions": {"Subpath": "x"}}, "anonymous"),
        ({"Type": "volume", "Source": "v", "VolumeOptions": {"Subpath": "../x"}}, "within the volume"),
        ({"Type": "volume", "Source": "v", "VolumeOptions": {"Subpath": "/x"}}, "within the volume"),
        ({"Type": "volume", "ReadOnly": True}, "anonymous"),
        ({"Type": "tmpfs", "Source": "x"}, "Source must not be specified"),
        ({"Type": "tmpfs", "TmpfsOptions": {"SizeBytes": -1}}, "-1"),
        ({"Type": "tmpfs", "TmpfsOptions": {"Mode": -1}}, "-1"),
    ],
)
def test_a_mount_whose_fields_contradict_each_other_is_refused(mount: dict[str, Any], says: str):
    with pytest.raises(InvalidInput) as refused:
        mount_rules.check(msgspec.convert({"Target": "/t", **mount}, MountConfig))
    assert says in refused.value.message


def test_options_of_a_tmpfs_are_those_the_kernel_knows():
    assert mount_rules.tmpfs_options("rw,exec,size=1m,mode=1700,uid=7") == [
        "rw",
        "exec",
        "size=1m",
        "mode=1700",
        "uid=7",
    ]
    for text in ("foo", "size", "foo=1", "ro=1"):
        with pytest.raises(InvalidInput, match="invalid tmpfs option"):
            mount_rules.tmpfs_options(text)


def test_an_older_clients_hardware_address_is_that_of_the_main_network():
    endpoints = options.requested_endpoints(body({"NetworkMode": "mine"}, MacAddress="02:42:ac:11:00:99"))
    assert [(name, endpoint.mac_address) for name, endpoint in endpoints.items() if endpoint] == [
        ("mine", "02:42:ac:11:00:99")
    ]
    both = {"EndpointsConfig": {"bridge": {"MacAddress": "02:42:ac:11:00:01"}}}
    with pytest.raises(InvalidInput, match="should match"):
        options.requested_endpoints(body(MacAddress="02:42:ac:11:00:99", NetworkingConfig=both))


MOUNTS = r"""
20 1 0:1 / / rw,relatime shared:1 - ext4 /dev/vda rw
21 20 0:2 / /plain rw - tmpfs tmpfs rw
22 20 0:3 / /two\040words rw shared:7 master:1 - tmpfs tmpfs rw
23 20 0:4 / /slave rw master:1 - tmpfs tmpfs rw
""".lstrip()


def test_propagation_is_that_of_the_mount_that_holds_the_path(tmp_path: Path):
    mountinfo = tmp_path / "mountinfo"
    mountinfo.write_text(MOUNTS)
    assert propagation.of("/nosuch", mountinfo=mountinfo) == ("/", {"shared"})
    assert propagation.of("/plain/below", mountinfo=mountinfo) == ("/plain", set())
    assert propagation.of("/plainer", mountinfo=mountinfo) == ("/", {"shared"})
    assert propagation.of("/two words/x", mountinfo=mountinfo) == ("/two words", {"shared", "master"})
    assert propagation.of("/slave", mountinfo=mountinfo) == ("/slave", {"master"})


def test_a_root_passes_nothing_on_that_no_bind_asks_for():
    assert propagation.of_root([MountRecord(kind="bind", target="/t", source="/", propagation="rprivate")]) == ""


def test_a_runtime_is_found_by_its_name(tmp_path: Path):
    program = tmp_path / "mine"
    program.touch(mode=0o755)
    named = RuntimeSettings(path="/opt/other", runtime_args=["--debug"])
    runtimes = Runtimes(str(program), tmp_path / "run", {"other": named})
    assert runtimes.find("") is runtimes.find(DOCKER_RUNTIME) is runtimes.find("mine") is runtimes.default
    other = runtimes.find("other")
    assert other.arguments == ["/opt/other", "--debug", "--root", str(other.state)]
    assert other.state != runtimes.default.state
    with pytest.raises(InvalidInput, match="unknown or invalid runtime name: nosuch") as refused:
        runtimes.find("nosuch")
    assert "mine" in (refused.value.hint or "")
    assert "other" in (refused.value.hint or "")
