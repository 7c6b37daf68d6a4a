"""Starts that hang in the runtime: they hold up neither the container's removal nor its stop, and leave nothing."""

from __future__ import annotations

import json
import os
import select
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from support.docker import Docker, busybox_files, environment
from support.pydd import Pydd
from support.staging import wait_until

pytestmark = pytest.mark.timeout(120)

TIMEOUT_S = 60
HIERARCHIES = ("/sys/fs/cgroup/pids", "/sys/fs/cgroup")
RUNTIME = """#!/bin/sh
case "$(cat {stage}) $* " in
    create*" create "*) mkdir -p {group}/${{PWD##*/}}; echo >{calls}; exec sleep 1000 ;;
    start*" start "*) echo >{calls}; exec sleep 1000 ;;
    made*" create "*) runc "$@"; echo >{calls}; exec sleep 1000 ;;
esac
exec runc "$@"
"""


class Hanging(NamedTuple):
    """An engine whose runtime hangs at a stage of the start."""

    engine: Pydd
    docker: Docker
    image: str
    stage: Path
    """The file with the stage: `create`, `made` for after that command, or `start`."""
    calls: int

    def wait(self) -> None:
        assert select.select([self.calls], [], [], TIMEOUT_S)[0], "the runtime wasn't called"
        os.read(self.calls, 100)

    def start(self, name: str) -> subprocess.Popen[bytes]:
        starting = subprocess.Popen(["docker", "start", name], env=environment(DOCKER_HOST=self.docker.host), stderr=-1)
        self.wait()
        return starting


@pytest.fixture(scope="module")
def hanging(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hanging]:
    home = tmp_path_factory.mktemp("hanging")
    stage, calls, program, settings = (home / name for name in ("stage", "calls", "runtime", "settings.json"))
    os.mkfifo(calls)
    stage.write_text("none")
    settings.write_text(json.dumps({"runtimes": {"hanging": {"path": str(program)}}}))
    end = os.open(calls, os.O_RDWR)
    try:
        with Pydd.started() as engine:
            hierarchy = next(path for path in map(Path, HIERARCHIES) if path.is_dir())
            program.write_text(RUNTIME.format(stage=stage, calls=calls, group=hierarchy / engine.config.cgroup))
            program.chmod(0o755)
            engine.stop()
            engine.start("--settings", str(settings))
            with Docker(host=engine.host) as docker:
                image = docker.image("hanging", busybox_files(), directories=("tmp", "etc"))
                yield Hanging(engine, docker, image, stage, end)
    finally:
        os.close(end)


OPTIONS = ("--runtime", "hanging", "--network", "none")


@pytest.mark.parametrize("stage", ["create", "made", "start"])
def test_a_container_whose_start_hangs_is_removed(hanging: Hanging, stage: str):
    docker = hanging.docker
    name = docker.create("hung", hanging.image, "sleep", "1000", options=OPTIONS)
    identity = docker("inspect", "-f", "{{.Id}}", name)
    hanging.stage.write_text(stage)
    starting = hanging.start(name)
    docker("rm", "-f", name)
    _, errors = starting.communicate(timeout=TIMEOUT_S)
    assert starting.returncode == 1
    assert b"was ended while it was being started" in errors
    assert identity not in commands()
    assert groups(identity) == []


def test_a_restart_that_hangs_is_stopped(hanging: Hanging):
    docker = hanging.docker
    hanging.stage.write_text("none")
    name = docker.run("again", hanging.image, "sleep", "1000", options=(*OPTIONS, "--restart", "always"))
    hanging.stage.write_text("create")
    os.kill(docker.inspect(name)["State"]["Pid"], 9)
    hanging.wait()
    docker("stop", name)
    state = docker.inspect(name)["State"]
    assert (state["Status"], state["Running"], state["Restarting"]) == ("exited", False, False)
    hanging.stage.write_text("none")
    docker("start", name)
    assert docker("exec", name, "echo", "runs") == "runs"
    docker("rm", "-f", name)


def test_an_engine_that_died_during_a_start_ends_what_it_left(hanging: Hanging):
    docker, engine = hanging.docker, hanging.engine
    name = docker.create("orphan", hanging.image, "sleep", "1000", options=OPTIONS)
    identity = docker("inspect", "-f", "{{.Id}}", name)
    hanging.stage.write_text("made")
    starting = hanging.start(name)
    engine.kill()
    starting.communicate(timeout=TIMEOUT_S)
    assert identity in commands()
    engine.start("--settings", str(hanging.stage.with_name("settings.json")))
    wait_until(lambda: identity not in commands())
    assert docker.inspect(name)["State"]["Status"] == "created"
    docker("rm", "-f", name)


def groups(identity: str) -> list[str]:
    """Return a container's cgroups; other engines' may vanish meanwhile."""
    return [directory for directory, _, _ in os.walk("/sys/fs/cgroup") if directory.endswith(identity)]


def commands() -> str:
    """Return the command lines of all processes."""
    return subprocess.run(["ps", "-eo", "args", "-ww"], capture_output=True, text=True, check=True).stdout
