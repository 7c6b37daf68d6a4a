"""Containers under a user namespace: an engine whose containers' root is unprivileged on the machine."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from support.connections import NOBODY, Way, as_user
from support.docker import LONE, Docker, busybox_files
from support.dockerd import Dockerd
from support.users import user

KNOWN = "a known line\n"


@dataclass(frozen=True)
class RemappedHost:
    """The engine, an image on it, and the ways to it by name."""

    docker: Docker
    image: str
    ways: dict[str, Way]


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory, sleeper: Path) -> Iterator[RemappedHost]:
    home = tmp_path_factory.mktemp("home")
    home.chmod(0o755)
    os.chown(home, NOBODY, NOBODY)
    with ExitStack() as stack:
        engine = stack.enter_context(Dockerd(remap=stack.enter_context(user(home))))
        docker = stack.enter_context(engine.corner())
        files = {
            **busybox_files(),
            "app": sleeper,
            "known": KNOWN.encode(),
            "etc/passwd": b"app:x:1000:1000::/:/bin/sh\n",
        }
        image = docker.image("remapped", files, 'CMD ["/app"]', directories=("tmp",), modes={"tmp": 0o1777})
        helper = as_user(engine.home / "engine.sock", home)
        ways = {"root": Way("root", engine.url), "helper": Way("helper", engine.url, helper)}
        yield RemappedHost(docker, image, ways)


@pytest.fixture(scope="module")
def running(host: RemappedHost) -> str:
    name = host.docker.run("running", host.image, options=("--user", "1000", *LONE))
    assert host.docker("exec", name, "cat", "/proc/self/uid_map").split()[1] != "0"
    return name


@pytest.mark.parametrize("way", ["root", "helper"])
def test_a_session_is_the_containers_root_or_user_and_leaves_nothing(host: RemappedHost, running: str, way: str):
    pid = host.docker.inspect(running)["State"]["Pid"]
    mounts = Path(f"/proc/{pid}/mountinfo").read_text()
    line = "cat /known; id -u; stat -c '%u %n' /known /proc/1; touch /tmp/made; stat -c %u /tmp/made; rm /tmp/made"
    as_root = host.ways[way].debug(running, "-c", line)
    assert as_root.stdout.decode() == f"{KNOWN}0\n0 /known\n1000 /proc/1\n0\n", as_root.stderr
    as_target = host.ways[way].debug("--as", "target", running, "-c", line)
    assert as_target.stdout.decode() == f"{KNOWN}1000\n0 /known\n1000 /proc/1\n1000\n", as_target.stderr
    assert host.docker("diff", running) == ""
    assert Path(f"/proc/{pid}/mountinfo").read_text() == mounts
    assert host.docker("ps", "-aq", "--no-trunc").split() == [host.docker.inspect(running)["Id"]]


@pytest.mark.parametrize("way", ["root", "helper"])
def test_builtins_tell_ids_as_the_container_numbers_them(host: RemappedHost, running: str, way: str):
    def run_json(line: str) -> Any:
        done = host.ways[way].debug(running, "-b", f"{line} --json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    (process,) = run_json("ps")
    assert (process["pid"], process["uid"]) == (1, 1000)
    rights = run_json("caps")
    assert (rights["uid"], rights["gid"], rights["user_namespace"]) == (1000, 1000, True)
    (known,) = [entry for entry in run_json("files /") if entry["name"] == "known"]
    assert (known["uid"], known["gid"]) == (0, 0)


@pytest.mark.parametrize("way", ["root", "helper"])
def test_what_does_not_run_is_entered_too(host: RemappedHost, way: str):
    name = host.docker.create("created", host.image, options=LONE)
    done = host.ways[way].debug(name, "-c", "cat /known; id -u")
    assert done.stdout.decode() == f"{KNOWN}0\n", done.stderr
    assert host.docker("diff", name) == ""
    host.docker("rm", name)
