"""Descriptors, disk and patience run out: ends are recorded, what is frozen thaws, requests are answered."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from support.docker import LONE, Docker, busybox_files
from support.pydd import Pydd
from support.raw import connected, head, request
from support.staging import wait_until

FEW = 256
"""Descriptors of the engine that has few."""
SMALL = 24 << 20
"""Bytes of the small disk."""


@contextmanager
def corner(engine: Pydd) -> Iterator[tuple[Docker, str]]:
    with Docker(host=engine.host) as docker:
        yield docker, docker.image("scarce", busybox_files(), 'CMD ["/bin/sh"]', directories=("tmp", "etc"))


def test_ends_are_recorded_and_policies_followed_while_clients_hold_all_the_connections_they_can():
    """At 590e172 the containers stay "Up" for ever: out of descriptors, the task that waits for their end fails."""
    with Pydd.started() as engine:
        engine.stop()
        engine.start(before=("prlimit", f"--nofile={FEW}:{FEW}"))
        with corner(engine) as (docker, box), ExitStack() as stack:
            script = "while [ ! -e /tmp/go/go ]; do sleep 0.1; done; exit 4"
            options = (*LONE, "-v", f"{engine.home}:/tmp/go:ro")
            names = [docker.run(f"some{number}", box, "sh", "-c", script, options=options) for number in range(5)]
            names.append(docker.run("again", box, "sh", "-c", script, options=(*options, "--restart", "on-failure:2")))
            for _ in range(FEW):
                client = stack.enter_context(socket.socket(socket.AF_UNIX))
                client.setblocking(False)
                client.connect(str(engine.config.socket_path))
                client.send(b"GET /_ping HTTP/1.1\r\nHo")
            (engine.home / "go").touch()
            states = "{{.State.Status}} {{.State.ExitCode}}"
            wait_until(lambda: docker("inspect", "-f", states, *names).splitlines() == ["exited 4"] * 6, seconds=120)
            assert docker("inspect", "-f", "{{.RestartCount}}", names[-1]) == "2"
            docker("rm", *names)


def test_the_limit_on_descriptors_is_raised_for_the_engine_and_not_for_its_containers():
    """At 590e172 the engine keeps the shell's soft limit of 1024."""
    with Pydd.started() as engine:
        engine.stop()
        engine.start(before=("prlimit", "--nofile=1024:4096"))
        assert engine.process is not None
        limits = Path(f"/proc/{engine.process.pid}/limits").read_text()
        assert next(line.split()[3:5] for line in limits.splitlines() if "open files" in line) == ["4096", "4096"]
        with corner(engine) as (docker, box):
            assert docker("run", "--rm", *LONE, box, "sh", "-c", "ulimit -Sn; ulimit -Hn") == "1024\n4096"
            limited = docker("run", "--rm", *LONE, "--ulimit", "nofile=99:100", box, "sh", "-c", "ulimit -Sn")
            assert limited == "99"


def test_two_hundred_clients_at_once_are_all_answered(docker: Docker):
    """At 590e172 a hundred connections wait to be accepted; the next is refused with EAGAIN."""
    with ExitStack() as stack:
        clients = [stack.enter_context(socket.socket(socket.AF_UNIX)) for _ in range(200)]
        for client in clients:
            client.setblocking(False)
            client.connect(docker.host.removeprefix("unix://"))
            client.send(request("GET", "/_ping"))
        for client in clients:
            client.settimeout(60)
            assert b" 200 " in head(client)


def test_a_container_thaws_when_the_engine_was_killed_while_it_made_an_image_of_it():
    """At 590e172 it stays paused for good."""
    with Pydd.started() as engine, corner(engine) as (docker, box):
        script = (
            "mkdir /many; cd /many; seq 60000 | xargs touch; echo ready; while :; do date > /tmp/now; sleep 0.1; done"
        )
        name = docker.run("frozen", box, "sh", "-c", script, options=LONE)
        wait_until(lambda: docker("logs", name) == "ready")
        with connected(docker) as client:
            client.sendall(request("POST", f"/commit?container={name}"))
            wait_until(lambda: docker("inspect", "-f", "{{.State.Status}}", name) == "paused")
            engine.kill()
        engine.start()
        wait_until(lambda: docker("inspect", "-f", "{{.State.Status}}", name) == "running")
        docker("exec", name, "rm", "-f", "/tmp/now")
        wait_until(lambda: docker("exec", name, "ls", "/tmp") == "now")
        docker("rm", "-f", name)


def test_a_container_that_a_user_has_paused_stays_paused_over_a_kill_of_the_engine():
    with Pydd.started() as engine, corner(engine) as (docker, box):
        name = docker.run("paused", box, "sleep", "1000", options=LONE)
        docker("pause", name)
        engine.kill()
        engine.start()
        assert docker("inspect", "-f", "{{.State.Status}}", name) == "paused"
        docker("unpause", name)
        docker("rm", "-f", name)


@pytest.fixture
def cramped() -> Iterator[Pydd]:
    """An engine whose data lie on a small file system of their own."""
    with Pydd.started() as engine:
        engine.stop()
        root = engine.config.root
        subprocess.run(["rm", "-rf", str(root)], check=True)
        root.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SMALL}", "tmpfs", str(root)], check=True)
        try:
            engine.start()
            yield engine
            engine.stop()
        finally:
            subprocess.run(["umount", "-l", str(root)], check=True)
        engine.start()


def fill(directory: Path) -> None:
    """Take all the space there is, to the last block."""
    with (directory / "ballast").open("wb", buffering=0) as file:
        for size in (1 << 20, 4096, 1):
            try:
                while file.write(b"x" * size):
                    pass
            except OSError:
                continue


def committed(docker: Docker, name: str) -> bool:
    command = ["docker", "-H", docker.host, "commit", name, "nothing:1"]
    return subprocess.run(command, check=False, capture_output=True, timeout=60).returncode == 0


def test_on_a_full_disk_containers_are_paused_thawed_stopped_and_removed(cramped: Pydd):
    """At 590e172 `unpause` and `rm -f` say that no space is left, and the container stays frozen."""
    root = cramped.config.root
    with corner(cramped) as (docker, box):
        paused = docker.run("paused", box, "sleep", "1000", options=LONE)
        removed = docker.run("removed", box, "sleep", "1000", options=LONE)
        docker("pause", paused)
        fill(root)
        (root / "reserve").unlink(missing_ok=True)
        fill(root)
        docker("unpause", paused)
        docker("pause", paused)
        docker("rm", "-f", removed)
        done = subprocess.run(
            ["docker", "-H", docker.host, "commit", paused, "nothing:1"], check=False, capture_output=True
        )
        assert done.returncode != 0
        docker("rm", "-f", paused)
        assert docker("ps", "-aq") == ""
        (root / "ballast").unlink()
        cramped.stop()
        cramped.start()
        assert docker("ps", "-aq") == ""


def test_a_failed_commit_leaves_the_container_running(cramped: Pydd):
    """At 590e172 it stays paused where thawing it couldn't be written down."""
    with corner(cramped) as (docker, box):
        script = "head -c 4000000 /dev/urandom > /big; echo ready; sleep 1000"
        name = docker.run("kept", box, "sh", "-c", script, options=LONE)
        wait_until(lambda: docker("logs", name) == "ready")
        fill(cramped.config.root)
        (cramped.config.root / "reserve").unlink(missing_ok=True)
        fill(cramped.config.root)
        done = subprocess.run(
            ["docker", "-H", docker.host, "commit", name, "nothing:1"], check=False, capture_output=True
        )
        assert done.returncode != 0
        assert docker("inspect", "-f", "{{.State.Status}}", name) == "running"
        docker("rm", "-f", name)
        (cramped.config.root / "ballast").unlink()


@pytest.mark.parametrize(
    "target",
    [b"//[/x", b"/v999.9/_ping", b"/v" + b"9" * 5000 + b".1/_ping", b"/v1." + b"9" * 5000 + b"/_ping"],
    ids=["no host", "too new", "long", "long minor"],
)
def test_a_target_that_makes_no_sense_is_answered(docker: Docker, target: bytes):
    """At 590e172 the first closes the connection without an answer, and the long ones are answered by 500."""
    with connected(docker) as client:
        client.sendall(b"GET " + target + b" HTTP/1.1\r\nHost: e\r\n\r\n")
        assert head(client).startswith(b"HTTP/1.1 400 ")


def test_a_file_name_that_is_too_long_is_no_internal_error(pydd: Pydd, docker: Docker, busybox: str):
    """At 590e172 it is answered by 500, with a traceback in the engine's log."""
    name = docker.name("long")
    body = {"Image": busybox, "HostConfig": {"Binds": [f"/tmp/{'x' * 300}:/x"]}}
    with connected(docker) as client:
        client.sendall(request("POST", f"/containers/create?name={name}", body))
        assert head(client).startswith(b"HTTP/1.1 400 ")


def test_a_subnet_with_bits_of_a_host_is_refused_when_the_engine_starts(tmp_path: Path):
    """At 590e172 the engine starts, and each container fails."""
    command = [
        sys.executable,
        "-m",
        "pyd_core.daemon",
        "--root",
        str(tmp_path / "root"),
        "--run",
        str(tmp_path / "run"),
    ]
    with subprocess.Popen([*command, "--subnet", "10.213.0.1/24"], stderr=subprocess.PIPE, text=True) as engine:
        assert engine.stderr is not None
        line = engine.stderr.readline()
        if "listening" in line:
            engine.send_signal(signal.SIGTERM)
        assert engine.wait(60) == 125
    assert "10.213.0.0/24" in line
