"""Containers in every state and with every arrangement of namespaces."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from support.debugging import Run, command, main_pid
from support.docker import Docker


def test_a_paused_container_is_entered_and_stays_paused(debug: Run, docker: Docker, distroless: str):
    name = docker.run("paused", distroless)
    docker("pause", name)
    done = debug(name, "-c", "ps -e -o pid=,comm= | head -1; ls /app; sleep 0.1; echo alive")
    assert done.stdout.split() == ["1", "app", "/app", "alive"]
    assert docker.inspect(name)["State"]["Paused"]
    docker("unpause", name)


@pytest.mark.parametrize(("network", "links"), [("none", {"lo"}), ("bridge", {"lo", "eth0"})], ids=["none", "bridge"])
def test_the_network_is_the_containers(debug: Run, docker: Docker, distroless: str, network: str, links: set[str]):
    name = docker.run(f"net-{network}", distroless, options=("--network", network))
    done = debug(name, "-c", "ls /sys/class/net; cut -d: -f1 -s /proc/net/dev | tail -n +1")
    shown = {word for word in done.stdout.split() if word.isalnum()}
    assert links <= shown
    assert "docker0" not in shown


def test_the_hosts_network_and_processes_where_the_container_has_them(debug: Run, docker: Docker, distroless: str):
    name = docker.run("host", distroless, options=("--network", "host", "--pid", "host"))
    pid = main_pid(docker, name)
    done = debug(name, "-c", f"cat /proc/{pid}/comm; ls /app; ls /sys/class/net")
    assert done.returncode == 0
    assert done.stdout.split()[:2] == ["app", "/app"]
    assert "docker0" in done.stdout


def test_init_hostname_and_volumes(debug: Run, docker: Docker, distroless: str, tmp_path: Path):
    (tmp_path / "given").write_text("in the volume")
    (tmp_path / "fixed").mkdir()
    volumes = ("-v", f"{tmp_path}:/data", "-v", f"{tmp_path}/fixed:/fixed:ro")
    name = docker.run("arranged", distroless, options=("--init", "--hostname", "outpost", *volumes))
    done = debug(name, "-c", "hostname; cat /data/given; echo written > /data/back; echo x > /fixed/x")
    assert done.stdout == "outpost\nin the volume"
    assert "Read-only file system" in done.stderr
    assert (tmp_path / "back").read_text() == "written\n"


@pytest.mark.parametrize("pid_mode", ["own", "host"])
def test_when_the_container_ends_the_session_ends_and_says_how(docker: Docker, distroless: str, pid_mode: str):
    options = ("--pid", "host") if pid_mode == "host" else ()
    name = docker.run(f"ending-{pid_mode}", distroless, options=options)
    arguments = command(name, "-c", "echo ready; sleep 1000")
    with subprocess.Popen(
        arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "ready\n"
        docker("kill", "-s", "KILL", name)
        output = process.stderr.read()
        assert process.wait(30) == 137
    assert f"{name} has ended with exit code 137, killed by SIGKILL" in output
    assert "Traceback" not in output


def test_an_id_and_its_beginning_name_the_container_too(debug: Run, docker: Docker, locked: str):
    full = docker.inspect(locked)["Id"]
    for name in (full, full[:12]):
        assert debug(name, "-c", "echo in").stdout == "in\n"


def test_strace_sees_what_the_main_process_does(debug: Run, docker: Docker, distroless: str):
    name = docker.run("traced", distroless)
    done = debug(name, "-c", "timeout -s INT 2 strace -o /dev/stdout -p 1 & sleep 0.5; kill -INT 1; wait")
    assert "SIGINT" in done.stdout
