"""Deaths whose stage is more than a command line, on every engine."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.docker import Docker
from support.stages import NONE, check, stage
from support.staging import SECCOMP, Stage
from support.triage_engine import House

not_on_podman = pytest.mark.parametrize("house", ["docker", "pydd"], indirect=True)
"""Podman takes no profile from its client, and removes no network that a container is to join."""


def mark(corner: Docker) -> tuple[str, str]:
    return ("--label", f"pyd.test={corner.prefix}")


@not_on_podman
def test_a_filter_that_kills(house: House, tmp_path: Path) -> None:
    profile = tmp_path / "profile.json"
    profile.write_text(SECCOMP)
    this = Stage("seccomp", "seccomp-kill", ("mkdir", "/tmp/new"), (*NONE, "--security-opt", f"seccomp={profile}"))
    check(house.judge(stage(house.corner, house.image, this)), "seccomp-kill")


def test_a_library_that_is_not_there(house: House) -> None:
    verdict = house.judge(stage(house.corner, house.dynamic, Stage("library", "shared-library-missing")))
    check(verdict, "shared-library-missing")
    if house.kind != "podman":  # its layers aren't read from the disk here, and not a library at a time by archive
        assert verdict.confidence > 0.9, "the image's own facts confirm what the loader printed"


def test_a_working_directory_that_cannot_be_made(house: House, tmp_path: Path) -> None:
    this = Stage("workdir", "bad-workdir", ("true",), (*NONE, "-v", f"{tmp_path}:/ro:ro", "--workdir", "/ro/sub"))
    check(house.judge(stage(house.corner, house.image, this)), "bad-workdir")


def test_a_port_held_by_a_program_of_the_host(house: House) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        this = Stage("port-host", "port-conflict", ("true",), ("-p", f"127.0.0.1:{port}:80"))
        verdict = house.judge(stage(house.corner, house.image, this))
    check(verdict, "port-conflict")
    assert str(port) in verdict.summary


def test_a_port_held_by_another_container(house: House) -> None:
    holder = house.corner.run("holder", house.image, "/sleeper", options=("-p", "127.0.0.1::80"))
    port = house.corner("port", holder, "80").rpartition(":")[2]
    this = Stage("port-container", "port-conflict", ("true",), ("-p", f"127.0.0.1:{port}:80"))
    verdict = house.judge(stage(house.corner, house.image, this))
    house.corner("rm", "-f", holder)
    check(verdict, "port-conflict")


def test_a_mount_whose_source_went_away(house: House, tmp_path: Path) -> None:
    source = tmp_path / "gone"
    source.mkdir()
    options = (*NONE, "--mount", f"type=bind,src={source},dst=/data")
    name = house.corner.create("mount", house.image, "true", options=options)
    source.rmdir()
    house.corner("start", name, check=False)
    check(house.judge(name), "mount-source-missing")


@not_on_podman
def test_a_network_that_went_away(house: House) -> None:
    network = house.corner.name("gone")
    house.corner("network", "create", *mark(house.corner), network)
    name = house.corner.create("network", house.image, "true", options=("--network", network))
    house.corner("network", "rm", network)
    house.corner("start", name, check=False)
    check(house.judge(name), "network-missing")


def test_one_that_was_never_started(house: House) -> None:
    check(house.judge(house.corner.create("unstarted", house.image, "true")), "never-started")


def test_a_volume_of_somebody_else(house: House) -> None:
    volume = house.corner.name("volume")
    house.corner("volume", "create", *mark(house.corner), volume)
    # Podman gives an unused volume to the first one's user.
    house.corner("run", "--rm", *mark(house.corner), *NONE, "-v", f"{volume}:/store", house.image, "touch", "/store/a")
    options = (*NONE, "--user", "1000", "-v", f"{volume}:/store")
    this = Stage("volume", "volume-permission", ("touch", "/store/x"), options)
    verdict = house.judge(stage(house.corner, house.image, this))
    check(verdict, "volume-permission")
    assert "uid 0" in verdict.summary


def test_a_name_on_another_network(house: House) -> None:
    here, there = house.corner.name("here"), house.corner.name("there")
    for network in (here, there):
        house.corner("network", "create", *mark(house.corner), network)
    peer = house.corner.run("db", house.image, "/sleeper", options=("--network", there))
    this = Stage("apart", "not-same-network", ("wget", "-T", "2", f"http://{peer}/"), ("--network", here))
    verdict = house.judge(stage(house.corner, house.image, this))
    house.corner("rm", "-f", peer, house.corner.name("apart"))
    house.corner("network", "rm", here, there)
    check(verdict, "not-same-network", frozenset({"dns-failure"}))
    assert any("network connect" in text for text in verdict.advice)


@contextmanager
def small(directory: Path, options: str) -> Iterator[Path]:
    """A small file system of its own."""
    directory.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", directory], check=True)
    try:
        yield directory
    finally:
        subprocess.run(["umount", "-l", directory], check=True)


def test_room_without_inodes_is_told_from_a_full_disk(house: House, tmp_path: Path) -> None:
    many = "i=0; while touch /store/$i; do i=$((i + 1)); done; exit 1"
    for short, options, script, cause in (
        ("no-inodes", "size=1m,nr_inodes=20", many, "inode-exhausted"),
        ("no-room", "size=64k", "cat /dev/zero > /store/x", "no-space"),
    ):
        with small(tmp_path / short, options) as directory:
            this = Stage(short, cause, ("sh", "-c", script), (*NONE, "-v", f"{directory}:/store"))
            verdict = house.judge(stage(house.corner, house.image, this))
            house.corner("rm", "-f", house.corner.name(short))
        check(verdict, cause)
        assert "/store" in str(verdict.evidence), "the host's facts confirm it"
        assert "inode" in verdict.summary or cause == "no-space"
