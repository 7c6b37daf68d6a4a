"""Clones: for containers that crash at once, and for the networks of those that don't run."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from pyd_core.debug.clone import LABEL
from support.debugging import Run, command
from support.docker import LABEL as OWNER
from support.docker import LONE, QUICK, Docker


def clones(docker: Docker) -> list[str]:
    """Return the existing clones of this run's images, of any owner; other processes of the run make clones too."""
    images = docker("images", "-aq", "--no-trunc", "--filter", f"label={OWNER}={docker.prefix}").split()
    ancestors = [part for image in images for part in ("--filter", f"ancestor={image}")]
    return docker("ps", "-aq", "--filter", f"label={LABEL}", *ancestors).split()


def wait_for_removal(clone: str, since: float) -> None:
    """Wait until the engine says that it has removed a clone."""
    filters = ("--filter", f"container={clone}", "--filter", "event=destroy")
    arguments = ["docker", "events", "--since", f"{since:.3f}", *filters]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE) as events:
        assert events.stdout is not None
        assert events.stdout.readline()
        events.terminate()


@pytest.fixture
def crasher(docker: Docker, busybox: str, tmp_path: Path) -> str:
    """A container that crashes whenever it is started, with all that its clone must or must not take over."""
    (tmp_path / "given").write_text("in the volume\n")
    tmp_path.chmod(0o755)
    volumes = ("-v", f"{tmp_path}:/data", "--mount", "type=volume,destination=/anonymous")
    rights = ("--user", "1000:7", "--cap-drop", "ALL", "--read-only", "-e", "A=b")
    options = ("--restart", "on-failure:1000", "-p", "127.0.0.1::80", *volumes, *rights)
    return docker.run(
        f"hold-crasher-{tmp_path.name[-20:]}", busybox, "sh", "-c", "echo crashing; exit 3", options=options
    )


def test_a_crashing_container_can_be_looked_at_and_run_by_hand(
    debug: Run, docker: Docker, crasher: str, tmp_path: Path
):
    before = clones(docker)
    line = "cat /data/given; id -u; echo $A; sh -c 'echo crashing; exit 3'; echo $?; "
    line += "echo x > /etc/x; @target touch /data/given"
    done = debug("--as", "target", "--hold", crasher, "-c", line)
    assert done.stdout.split() == ["in", "the", "volume", "1000", "b", "crashing", "3"]
    assert done.stderr.count("Read-only file system") == 2
    assert f"in a clone of {crasher}" in done.stderr
    assert "To run its program: sh -c 'echo crashing; exit 3'" in done.stderr
    assert clones(docker) == before
    assert (tmp_path / "given").read_text() == "in the volume\n"
    volume = next(point["Name"] for point in docker.inspect(crasher)["Mounts"] if point["Type"] == "volume")
    assert docker("volume", "inspect", "-f", "{{.Name}}", volume) == volume


def test_a_clone_is_called_as_its_model(debug: Run, crasher: str):
    assert debug("--hold", crasher, "-c", "echo $PYD_TARGET").stdout == f"{crasher}\n"


def test_volumes_of_a_clone_can_be_written_if_asked(debug: Run, docker: Docker, crasher: str, tmp_path: Path):
    done = debug("--hold", "--volumes", "rw", crasher, "-c", "echo changed > /data/given; exit 5")
    assert done.returncode == 5
    assert (tmp_path / "given").read_text() == "changed\n"


def test_a_killed_client_takes_its_clone_along(docker: Docker, distroless: str):
    name = docker.create("hold-killed", distroless, options=LONE)
    before = clones(docker)
    with subprocess.Popen(command("--hold", name, "-c", "echo ready; sleep 1000"), stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        (clone,) = set(clones(docker)) - set(before)
        assert json.loads(docker("inspect", clone))[0]["Name"] != f"/{name}"
        since = time.time()
        process.send_signal(signal.SIGKILL)
        process.stdout.read()
    wait_for_removal(clone, since)


def test_a_clone_whose_owner_was_killed_before_it_ran_is_removed_by_the_next(
    debug: Run, docker: Docker, distroless: str
):
    left = docker("create", "--label", f"{LABEL}={os.getpid()}-1", "--label", f"pyd.test={docker.prefix}", distroless)
    name = docker.create("hold-next", distroless, options=LONE)
    assert debug("--hold", name, "-c", "true").returncode == 0
    assert left[:12] not in clones(docker)


def test_the_same_network_is_there_without_the_containers_names_on_it(debug: Run, docker: Docker, busybox: str):
    network = docker.name("hold-net")
    docker("network", "create", "--label", f"pyd.test={docker.prefix}", network)
    peer = docker.run("hold-peer", busybox, "sh", "-c", "sleep 1000", options=("--network", network, *QUICK))
    options = ("--network", network, "--network-alias", "shop", *QUICK)
    name = docker.create("hold-stopped", busybox, "sleep", "1000", options=options)
    before = clones(docker)
    line = f"ip -o link | wc -l; ping -c 1 -W 5 {peer} >/dev/null && echo reached"
    done = debug("--network", "same", name, "-c", line)
    assert (done.stdout.split(), done.stderr) == (["2", "reached"], "")
    lookup = debug("--network", "same", name, "-c", "grep -c 127.0.0.11 /etc/resolv.conf; ping -c 1 shop")
    assert lookup.stdout.split()[0] == "1"
    assert lookup.returncode != 0
    assert debug(name, "-c", "ip -o link | wc -l").stdout == "1\n"
    assert clones(docker) == before


def test_the_network_of_another_container_and_of_the_host_can_be_the_same(debug: Run, docker: Docker, busybox: str):
    network = docker.name("hold-shared")
    docker("network", "create", "--label", f"pyd.test={docker.prefix}", network)
    other = docker.run("hold-other", busybox, "sleep", "1000", options=("--network", network, *QUICK))
    name = docker.create("hold-sharing", busybox, "true", options=("--network", f"container:{other}"))
    address = docker.inspect(other)["NetworkSettings"]["Networks"][network]["IPAddress"]
    assert address in debug("--network", "same", name, "-c", "ip -o address").stdout
    host = docker.create("hold-hostly", busybox, "true", options=("--network", "host"))
    assert "docker0" in debug("--network", "same", host, "-c", "ls /sys/class/net").stdout
    assert debug(host, "-c", "ls /sys/class/net").stdout == "lo\n"
