"""Deaths and faults staged on a real engine: each verdict names the one right cause."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from pyd_core.triage.verdict import Verdict
from support.docker import Docker
from support.staged import Staged, chosen
from support.stages import NONE, STAGES, check, stage
from support.staging import SECCOMP, Stage


@pytest.fixture(scope="module")
def staged(request: pytest.FixtureRequest, docker: Docker, stage_image: str) -> Iterator[Staged]:
    with Staged(docker, stage_image, chosen(request, test_names_the_cause)) as crew:
        yield crew


@pytest.mark.parametrize("this", STAGES, ids=lambda this: this.short)
def test_names_the_cause(staged: Staged, table: Any, this: Stage) -> None:
    verdict = staged.verdict(this)
    table.rows.append(("docker", this.short, verdict))
    check(verdict, this.cause, this.also)


def mark(corner: Docker) -> tuple[str, str]:
    return ("--label", f"pyd.test={corner.prefix}")


def test_a_filter_that_kills(docker: Docker, stage_image: str, judge: Callable[[str], Verdict], tmp_path: Path) -> None:
    profile = tmp_path / "profile.json"
    profile.write_text(SECCOMP)
    this = Stage("seccomp", "seccomp-kill", ("mkdir", "/tmp/new"), (*NONE, "--security-opt", f"seccomp={profile}"))
    check(judge(stage(docker, stage_image, this)), "seccomp-kill")


def test_a_library_that_is_not_there(docker: Docker, dynamic_image: str, judge: Callable[[str], Verdict]) -> None:
    verdict = judge(stage(docker, dynamic_image, Stage("library", "shared-library-missing")))
    check(verdict, "shared-library-missing")
    assert verdict.confidence > 0.9, "the image's own facts confirm what the loader printed"


def test_a_working_directory_that_cannot_be_made(
    docker: Docker, stage_image: str, judge: Callable[[str], Verdict], tmp_path: Path
) -> None:
    this = Stage("workdir", "bad-workdir", ("true",), (*NONE, "-v", f"{tmp_path}:/ro:ro", "--workdir", "/ro/sub"))
    check(judge(stage(docker, stage_image, this)), "bad-workdir")


def test_a_port_held_by_a_program_of_the_host(
    docker: Docker, stage_image: str, judge: Callable[[str], Verdict]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        this = Stage("port-host", "port-conflict", ("true",), ("-p", f"127.0.0.1:{port}:80"))
        verdict = judge(stage(docker, stage_image, this))
    check(verdict, "port-conflict")
    assert str(port) in verdict.summary


def test_a_port_held_by_another_container(docker: Docker, stage_image: str, judge: Callable[[str], Verdict]) -> None:
    holder = docker.run("holder", stage_image, "/sleeper", options=("-p", "127.0.0.1::80"))
    port = docker("port", holder, "80").rpartition(":")[2]
    this = Stage("port-container", "port-conflict", ("true",), ("-p", f"127.0.0.1:{port}:80"))
    verdict = judge(stage(docker, stage_image, this))
    docker("rm", "-f", holder)
    check(verdict, "port-conflict")


def test_a_mount_whose_source_went_away(
    docker: Docker, stage_image: str, judge: Callable[[str], Verdict], tmp_path: Path
) -> None:
    source = tmp_path / "gone"
    source.mkdir()
    name = docker.create("mount", stage_image, "true", options=(*NONE, "--mount", f"type=bind,src={source},dst=/data"))
    source.rmdir()
    docker("start", name, check=False)
    check(judge(name), "mount-source-missing")


def test_a_network_that_went_away(docker: Docker, stage_image: str, judge: Callable[[str], Verdict]) -> None:
    network = docker.name("gone")
    docker("network", "create", *mark(docker), network)
    name = docker.create("network", stage_image, "true", options=("--network", network))
    docker("network", "rm", network)
    docker("start", name, check=False)
    check(judge(name), "network-missing")


def test_one_that_was_never_started(docker: Docker, stage_image: str, judge: Callable[[str], Verdict]) -> None:
    check(judge(docker.create("unstarted", stage_image, "true")), "never-started")


def test_a_volume_of_somebody_else(docker: Docker, stage_image: str, judge: Callable[[str], Verdict]) -> None:
    volume = docker.name("volume")
    docker("volume", "create", *mark(docker), volume)
    options = (*NONE, "--user", "1000", "-v", f"{volume}:/store")
    this = Stage("volume", "volume-permission", ("touch", "/store/x"), options)
    verdict = judge(stage(docker, stage_image, this))
    check(verdict, "volume-permission")
    assert "uid 0" in verdict.summary


def test_a_name_on_another_network(docker: Docker, stage_image: str, judge: Callable[[str], Verdict]) -> None:
    here, there = docker.name("here"), docker.name("there")
    for network in (here, there):
        docker("network", "create", *mark(docker), network)
    peer = docker.run("db", stage_image, "/sleeper", options=("--network", there))
    this = Stage("apart", "not-same-network", ("wget", "-T", "2", f"http://{peer}/"), ("--network", here))
    verdict = judge(stage(docker, stage_image, this))
    docker("rm", "-f", peer, docker.name("apart"))
    docker("network", "rm", here, there)
    check(verdict, "not-same-network")
    assert any("network connect" in text for text in verdict.advice)


@contextmanager
def small(place: Path, options: str) -> Iterator[Path]:
    """A small file system of its own."""
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", place], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", place], check=True)


def test_room_without_inodes_is_told_from_a_full_disk(
    docker: Docker, stage_image: str, judge: Callable[[str], Verdict], tmp_path: Path
) -> None:
    many = "i=0; while touch /store/$i; do i=$((i + 1)); done; exit 1"
    for short, options, script, cause in (
        ("no-inodes", "size=1m,nr_inodes=20", many, "inode-exhausted"),
        ("no-room", "size=64k", "cat /dev/zero > /store/x", "no-space"),
    ):
        with small(tmp_path / short, options) as place:
            this = Stage(short, cause, ("sh", "-c", script), (*NONE, "-v", f"{place}:/store"))
            verdict = judge(stage(docker, stage_image, this))
            docker("rm", "-f", docker.name(short))
        check(verdict, cause)
        assert "/store" in str(verdict.evidence), "the host's facts confirm it"
        assert "inode" in verdict.summary or cause == "no-space"
