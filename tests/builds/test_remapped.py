"""Builds on an engine whose containers' root is an unprivileged user of the host."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.built_image import read_image
from support.docker import Docker, busybox_files, environment
from support.remapped import Remapped


@pytest.fixture(scope="module")
def remapped() -> Iterator[Remapped]:
    with Remapped.started() as engine:
        yield engine


def test_a_step_runs_as_an_unprivileged_user_and_its_files_have_the_containers_ids(
    remapped: Remapped, tmp_path: Path
) -> None:
    with Docker(host=remapped.pydd.host) as docker:
        base = docker.image("base", busybox_files(), "ENV PATH=/bin", directories=("tmp",))
        (tmp_path / "secret").write_text("hidden")
        (tmp_path / "Dockerfile").write_text(
            f"FROM {base}\n"
            "COPY --chown=5:6 secret /copied\n"
            "RUN cat /proc/self/uid_map > /map && touch /made && chown 7:8 /made\n"
            "RUN --mount=type=secret,id=s,uid=3,mode=400 stat -c %u /run/secrets/s > /owner\n"
            "RUN --mount=type=cache,target=/c touch /c/f && stat -c %u /c/f > /cached\n"
            "RUN ls /sys/class/net | tr '\\n' ' ' > /net\n"
        )
        done = subprocess.run(
            ["docker", "build", "-q", "-t", docker.name("mapped"), "--secret", "id=s,src=secret", "."],
            cwd=tmp_path,
            env=environment(DOCKER_HOST=docker.host),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        files = read_image(docker.host, docker.name("mapped")).files
        assert files["copied"][2] == (5, 6)
        assert files["made"][2] == (7, 8)
        shown = docker("run", "--rm", docker.name("mapped"), "cat", "/map", "/owner", "/cached", "/net").split("\n")
        assert shown[0].split()[1] != "0"
        assert shown[-3:] == ["3", "0", "eth0 lo"]
        docker("rmi", "-f", docker.name("mapped"))
