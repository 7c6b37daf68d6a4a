"""The configuration that a clone takes from its model, and its program."""

from __future__ import annotations

import platform
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest

from pyd_core.debug.clone import PROGRAM, clone_body
from pyd_core.debug.holder_program import installed, program
from pyd_core.errors import Unsupported

MODEL: dict[str, Any] = {
    "Image": "sha256:1",
    "Config": {
        "Hostname": "outpost",
        "User": "1000",
        "Env": ["A=b"],
        "Cmd": ["/app"],
        "Entrypoint": None,
        "Tty": True,
        "Image": "web:1",
        "Labels": {"com.docker.compose.service": "web"},
        "Volumes": {"/data": {}},
        "ExposedPorts": {"80/tcp": {}},
    },
    "HostConfig": {
        "CapDrop": ["ALL"],
        "Memory": 20 << 20,
        "Binds": ["/a:/b"],
        "PortBindings": {"80/tcp": [{"HostPort": "80"}]},
        "PublishAllPorts": True,
        "RestartPolicy": {"Name": "always"},
        "AutoRemove": False,
        "Tmpfs": {"/run": ""},
    },
    "Mounts": [
        {"Type": "bind", "Source": "/a", "Destination": "/b", "RW": True},
        {"Type": "volume", "Name": "v", "Source": "/x", "Destination": "/data", "RW": False},
        {"Type": "tmpfs", "Destination": "/run"},
    ],
}


def test_a_clone_has_its_models_rights_and_limits_but_not_its_place():
    body = clone_body(MODEL, "/holder", "1-2", network="shop", writable_volumes=False)
    assert (body["User"], body["Env"], body["Hostname"], body["Image"]) == ("1000", ["A=b"], "outpost", "sha256:1")
    assert (body["Entrypoint"], body["Cmd"], body["Tty"]) == ([PROGRAM], [], False)
    assert body["Labels"] == {"pyd.debug.owner": "1-2"}
    host = body["HostConfig"]
    assert (host["CapDrop"], host["Memory"], host["Tmpfs"]) == (["ALL"], 20 << 20, {"/run": ""})
    assert (host["NetworkMode"], host["RestartPolicy"], host["AutoRemove"]) == ("shop", {"Name": "no"}, True)
    assert "PortBindings" not in host
    assert not host["PublishAllPorts"]
    assert "ExposedPorts" not in body
    assert "Volumes" not in body


def test_a_clone_that_shares_anothers_network_has_no_name_of_its_own():
    body = clone_body(MODEL, "/holder", "", network="container:abc", writable_volumes=False)
    assert "Hostname" not in body
    assert body["HostConfig"]["NetworkMode"] == "container:abc"


@pytest.mark.parametrize("writable", [False, True])
def test_a_clone_has_its_models_own_volumes(writable: bool):
    mounts = clone_body(MODEL, "/holder", "", network="", writable_volumes=writable)["HostConfig"]["Mounts"]
    assert mounts == [
        {"Type": "bind", "Source": "/a", "Target": "/b", "ReadOnly": not writable},
        {"Type": "volume", "Source": "v", "Target": "/data", "ReadOnly": True},
        {"Type": "bind", "Source": "/holder", "Target": PROGRAM, "ReadOnly": True},
    ]


def test_the_program_waits_for_the_end_of_its_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PYD_TOOLBOX", f"{tmp_path}/toolbox")
    path = Path(installed())
    assert path == Path(installed())
    assert path.parent == tmp_path
    assert stat.S_IMODE(path.stat().st_mode) == 0o755
    with subprocess.Popen([path], stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        process.stdin.write(b"any number of bytes")
        process.stdin.flush()
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.05)
        process.stdin.close()
        assert process.wait(10) == 0


def test_there_is_a_program_for_both_machines_and_no_other():
    assert {machine: program(machine)[18] for machine in ("x86_64", "aarch64")} == {"x86_64": 62, "aarch64": 183}
    assert platform.machine() in ("x86_64", "aarch64")
    with pytest.raises(Unsupported):
        program("riscv64")
