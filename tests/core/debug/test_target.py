"""Targets that no session can be in, and what is said of them."""

from __future__ import annotations

import os

import pytest

from pyd_core.debug.machine import engine_machine
from pyd_core.debug.target import refuse_other_kernels, running_target
from pyd_core.errors import Conflict, Unsupported
from pyd_core.model.container import Container
from pyd_core.model.container_state import ContainerState
from pyd_core.model.host_config import HostConfig
from pyd_core.model.system import Info


def container(runtime: str = "runc", *, pid: int = 0, status: str = "running") -> Container:
    host = HostConfig(runtime=runtime)
    return Container(id="f" * 64, name_="/web", state=ContainerState(status=status, pid=pid), host_config=host)


@pytest.mark.parametrize("runtime", ["runsc", "kata", "kata-qemu", "io.containerd.runsc.v1", "io.containerd.kata.v2"])
def test_a_kernel_of_ones_own_is_named_with_what_works_instead(runtime: str):
    for refuse in (refuse_other_kernels, running_target):
        with pytest.raises(Unsupported) as caught:
            refuse(container(runtime, pid=os.getpid()))
        assert f"web runs under {runtime}" in caught.value.message
        assert "pyd exec" in caught.value.hint


@pytest.mark.parametrize("runtime", ["runc", "crun", "", "io.containerd.runc.v2"])
def test_the_hosts_kernel_is_no_obstacle(runtime: str):
    refuse_other_kernels(container(runtime))


def test_windows_and_other_machines_are_named():
    with pytest.raises(Unsupported) as windows:
        engine_machine("tcp://there", Info(os_type="windows"))
    assert "tcp://there runs windows containers" in windows.value.message
    assert "pyd exec" in windows.value.hint
    with pytest.raises(Unsupported) as other:
        engine_machine("tcp://there", Info(os_type="linux", architecture="s390x"))
    assert other.value.reference == "other-architecture"
    assert "s390x machine itself" in other.value.hint


@pytest.mark.parametrize(
    ("architecture", "machine"),
    [
        ("arm64", "aarch64"),  # Podman
        ("aarch64", "aarch64"),  # Docker Engine
        ("amd64", "x86_64"),
        ("x86_64", "x86_64"),
        ("", os.uname().machine),
    ],
)
def test_tools_are_for_the_engines_machine_whatever_this_one_is(architecture: str, machine: str):
    assert engine_machine("tcp://there", Info(os_type="linux", architecture=architecture)) == machine


def test_what_does_not_run_and_a_process_that_is_another_containers_are_told():
    with pytest.raises(Conflict):
        running_target(container(status="exited"))
    with pytest.raises(Unsupported) as caught:
        running_target(container(pid=os.getpid()))
    assert caught.value.reference == "not-local"
