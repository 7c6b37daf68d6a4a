"""Targets that are named otherwise than by a container: images, services, processes."""

from __future__ import annotations

import subprocess

import pytest

from support.debugging import Run, main_pid
from support.docker import LONE, Docker


@pytest.mark.parametrize("prefix", ["image:", ""])
def test_an_image_is_entered_without_a_container_of_it(debug: Run, docker: Docker, distroless: str, prefix: str):
    before = docker("ps", "-aq", "--filter", f"ancestor={distroless}")
    done = debug(f"{prefix}{distroless}", "-c", "ls /app; echo x > /x; ls /x; touch /app; ip -o link | wc -l")
    assert (done.stdout.split(), done.stderr) == (["/app", "/x", "1"], "")
    assert docker("ps", "-aq", "--filter", f"ancestor={distroless}") == before
    assert debug(f"{prefix}{distroless}", "-c", "ls /x").returncode != 0


def test_an_image_gives_its_environment_user_and_folder(debug: Run, docker: Docker, distroless: str):
    name = docker.create("ref-configured", distroless, options=(*LONE, "-e", "A=b", "-w", "/dev", "--user", "12:34"))
    full = f"{docker.name('configured')}:1"
    docker("commit", name, full)
    done = debug("--as", "target", f"image:{full}", "-c", "echo $A; pwd; id -u; id -g")
    assert done.stdout.split() == ["b", "/dev", "12", "34"]


def test_an_unknown_image_and_an_unknown_name_are_told(debug: Run, docker: Docker, distroless: str):
    unknown = debug("image:no-such-image:1", "-c", "true")
    assert unknown.returncode == 125
    assert "no-such-image" in unknown.stderr
    assert "fetch it with: pyd pull no-such-image:1" in unknown.stderr
    neither = debug("no-such-thing-at-all", "-c", "true")
    assert neither.returncode == 125
    assert "no such container: no-such-thing-at-all" in neither.stderr
    for odd in ("image:", "image:UPPER", "image:../..", "pid:", "pid:0"):
        refused = debug(odd, "-c", "true")
        assert refused.returncode == 125
        assert "bug in pyd" not in refused.stderr


def test_a_compose_service_names_its_container(debug: Run, docker: Docker, distroless: str):
    service = docker.name("ref-service")
    labels = ("--label", "com.docker.compose.project=p", "--label", f"com.docker.compose.service={service}")
    for number in ("1", "2"):
        numbered = (*labels, "--label", f"com.docker.compose.container-number={number}")
        docker.run(f"ref-member{number}", distroless, options=(*LONE, *numbered, "-e", f"NUMBER={number}"))
    assert debug(service, "-c", "echo $NUMBER").stdout == "1\n"
    assert debug(f"{service}@2", "-c", "echo $NUMBER").stdout == "2\n"
    third = debug(f"{service}@3", "-c", "echo $NUMBER")
    assert third.returncode == 125
    assert "has no container 3" in third.stderr
    assert "hint: it has 1, 2" in third.stderr


def test_a_process_in_a_container_is_entered_by_its_number(debug: Run, docker: Docker, distroless: str):
    name = docker.run("ref-process", distroless, options=(*LONE, "-e", "A=b", "-w", "/etc"))
    done = debug(
        f"pid:{main_pid(docker, name)}", "-c", "ls /app; echo $A; pwd; ps -e -o comm= | head -1; ip -o link | wc -l"
    )
    assert (done.stdout.split(), done.stderr) == (["/app", "b", "/etc", "app", "1"], "")


def test_a_process_of_the_host_is_entered_by_its_number(debug: Run):
    with subprocess.Popen(["sleep", "1000"], env={"A": "b"}, cwd="/etc") as process:
        try:
            done = debug(f"pid:{process.pid}", "-c", f"cat /proc/{process.pid}/comm; echo $A; pwd; ls -d /dev/.pyd/bin")
        finally:
            process.kill()
    assert (done.stdout.split(), done.stderr) == (["sleep", "b", "/etc", "/dev/.pyd/bin"], "")
