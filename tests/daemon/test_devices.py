"""Devices by CDI: a made-up vendor's, described in a directory of the test's own."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.docker import LONE, Docker, busybox_files
from support.pydd import Pydd

YAML = """
---
# as nvidia-ctk cdi generate writes it
cdiVersion: "0.6.0"
kind: yaml.example/thing
containerEdits:
  env:
  - WRITTEN=in YAML
devices:
- name: 0
  containerEdits:
    deviceNodes:
    - {path: /dev/made-up3, hostPath: /dev/zero, fileMode: 0640}
- name: all
  containerEdits: {env: [ALL=yes]}
"""
COMMON = {"env": ["VENDOR=made-up"]}


def described(kind: str, *devices: dict[str, object], **more: object) -> str:
    return json.dumps({"cdiVersion": "0.6.0", "kind": kind, "devices": list(devices), **more})


def device(name: str, **edits: object) -> dict[str, object]:
    return {"name": name, "containerEdits": edits}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cdi")


@pytest.fixture(scope="module")
def docker(home: Path) -> Iterator[Docker]:
    earlier, later = home / "earlier", home / "later"
    for directory in (earlier, later):
        directory.mkdir()
    (home / "firmware").write_text("of the device")
    hook = ["touch", str(home / "hooked")]
    zero = device(
        "zero",
        deviceNodes=[{"path": "/dev/made-up0", "hostPath": "/dev/zero"}],
        mounts=[{"hostPath": str(home / "firmware"), "containerPath": "/lib/firmware", "options": ["ro", "nosuid"]}],
        env=["MADE_UP=zero"],
        hooks=[{"hookName": "createRuntime", "path": "/usr/bin/touch", "args": hook}],
        additionalGids=[4711],
    )
    null = device("null", deviceNodes=[{"path": "/dev/made-up1", "type": "c", "major": 1, "minor": 3}])
    log = {"path": "/dev/made-up2", "hostPath": "/dev/kmsg"}  # none of those that every container has
    read, written = (device(name, deviceNodes=[{**log, "permissions": name[0]}]) for name in ("read", "written"))
    (earlier / "vendor.json").write_text(
        described("vendor.example/thing", zero, null, read, written, containerEdits=COMMON)
    )
    (earlier / "gpu.json").write_text(
        described("vendor.example/gpu", *(device(name, env=[f"GPU{name}=there"]) for name in ("0", "1")))
    )
    (earlier / "twice.json").write_text(described("twice.example/thing", device("it", env=["FROM=earlier"])))
    (later / "twice.json").write_text(described("twice.example/thing", device("it", env=["FROM=later"])))
    (later / "broken.json").write_text("{")
    (later / "broken.yaml").write_text("devices: [")
    (later / "vendor.yaml").write_text(YAML)
    settings = home / "settings.json"
    settings.write_text(json.dumps({"cdi-spec-dirs": [str(earlier), str(later)]}))
    with Pydd.started() as engine:
        engine.stop()
        engine.start("--settings", str(settings))
        with Docker(host=engine.host) as corner:
            yield corner


@pytest.fixture(scope="module")
def image(docker: Docker) -> str:
    return docker.image("devices", busybox_files(), 'CMD ["/bin/sh"]', directories=("tmp", "etc"))


def ran(docker: Docker, image: str, script: str, *options: str) -> str:
    return docker("run", "--rm", *LONE, *options, image, "sh", "-c", script)


def refused(docker: Docker, image: str, *options: str) -> str:
    command = ["docker", "-H", docker.host, "run", "--rm", *LONE, *options, image, "true"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 125, done
    return done.stderr


def test_all_that_a_device_brings_is_in_the_container(docker: Docker, image: str, home: Path):
    script = "head -c 4 /dev/made-up0 | od -An -tx1; cat /lib/firmware; echo; echo $VENDOR $MADE_UP; id -G"
    lines = ran(docker, image, script, "--device", "vendor.example/thing=zero").splitlines()
    assert [line.strip() for line in lines[:3]] == ["00 00 00 00", "of the device", "made-up zero"]
    assert "4711" in lines[3].split()
    assert (home / "hooked").exists()


def test_only_what_a_device_allows_may_be_done_with_it(docker: Docker, image: str):
    script = "true > /dev/made-up2 && echo done; touch /lib/firmware || echo read-only"
    named = ("--device", "vendor.example/thing=zero", "--device")
    assert ran(docker, image, f"{script} 2>&-", *named, "vendor.example/thing=read") == "read-only"
    assert ran(docker, image, f"{script} 2>&-", *named, "vendor.example/thing=written").split() == ["done", "read-only"]


def test_two_devices_of_a_kind_are_there_together(docker: Docker, image: str):
    both = ("--device", "vendor.example/thing=zero", "--device", "vendor.example/thing=null")
    assert ran(docker, image, "ls /dev | grep made-up; echo x > /dev/made-up1", *both).split() == [
        "made-up0",
        "made-up1",
    ]


def test_a_device_may_be_named_together_with_a_plain_one(docker: Docker, image: str):
    options = ("--device", "vendor.example/thing=null", "--device", "/dev/null:/dev/plain")
    assert ran(docker, image, "ls /dev | grep -e made-up -e plain", *options).split() == ["made-up1", "plain"]


@pytest.mark.parametrize(
    ("gpus", "there"), [("all", "there there"), ("1", "there"), ("2", "there there"), ('"device=1"', "there")]
)
def test_gpus_are_those_a_specification_describes(docker: Docker, image: str, gpus: str, there: str):
    assert ran(docker, image, "echo $GPU0 $GPU1", "--gpus", gpus) == there


def test_a_later_directory_precedes_an_earlier_one(docker: Docker, image: str):
    assert ran(docker, image, "echo $FROM", "--device", "twice.example/thing=it") == "later"


def test_a_specification_may_be_in_yaml(docker: Docker, image: str):
    options = ("--device", "yaml.example/thing=0", "--device", "yaml.example/thing=all")
    script = "head -c 2 /dev/made-up3 | od -An -tx1; stat -c %a /dev/made-up3; echo $WRITTEN $ALL"
    assert ran(docker, image, script, *options).splitlines() == ["00 00", "640", "in YAML yes"]
    why = refused(docker, image, "--device", "yaml.example/thing=none")
    assert "broken.yaml can't be read" in why
    assert "broken.json can't be read" in why


def test_an_undescribed_device_is_refused_by_its_name(docker: Docker, image: str):
    assert "vendor.example/thing=none" in refused(docker, image, "--device", "vendor.example/thing=none")
    assert "vendor.example/gpu=2" in refused(docker, image, "--gpus", "3")
    assert docker("ps", "-aq") == ""


def test_inspect_reports_the_requested_devices(docker: Docker, image: str):
    name = docker.name("asked")
    docker("create", "--name", name, "--device", "vendor.example/thing=zero", image)
    requests = docker.inspect(name)["HostConfig"]["DeviceRequests"]
    assert [(device_request["Driver"], device_request["DeviceIDs"]) for device_request in requests] == [
        ("cdi", ["vendor.example/thing=zero"])
    ]
    docker("rm", name)
