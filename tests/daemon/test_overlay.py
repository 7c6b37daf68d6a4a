"""Containers where the kernel can't stack layers, as over an overlay: fuse-overlayfs does it, or they are refused."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest  # noqa: TC002 - as in the other tests

from support.docker import Docker, busybox_files
from support.missing import missing
from support.pydd import Pydd

ALONE = ("--network", "none")


@contextmanager
def over_an_overlay(tmp_path: Path) -> Iterator[Pydd]:
    """An engine whose data lie on an overlay, as in a container of another engine."""
    directories = [tmp_path / name for name in ("lower", "upper", "work")]
    for directory in directories:
        directory.mkdir()
    options = ",".join(f"{directory.name}dir={directory}" for directory in directories)
    with Pydd.started() as engine:
        engine.stop()
        root = engine.config.root
        shutil.rmtree(root)
        root.mkdir()
        subprocess.run(["mount", "-t", "overlay", "-o", options, "overlay", str(root)], check=True)
        try:
            engine.start()
            yield engine
            engine.clear()
            engine.stop()
        finally:
            subprocess.run(["umount", str(root)], check=True)
        engine.start()


def test_layers_are_stacked_by_fuse_overlayfs_and_nothing_of_it_stays(tmp_path: Path):
    if shutil.which("fuse-overlayfs") is None:
        missing("fuse-overlayfs")
    with over_an_overlay(tmp_path) as engine, Docker(host=engine.host) as docker:
        first = docker.image("first", {**busybox_files(), "gone": b"x", "kept": b"kept"}, 'CMD ["/bin/sh"]')
        name = docker.create("changes", first, "sh", "-c", "rm /gone; echo new > /new", options=ALONE)
        docker("start", "-a", name)
        second = docker.name("second") + ":1"
        docker("commit", name, second)
        docker("rm", name)
        lives = docker.run("lives", second, "sleep", "1000", options=ALONE)
        engine.kill()
        engine.start()
        assert docker("exec", lives, "sh", "-c", "ls -d /gone; cat /kept /new", check=False) == "keptnew"
        docker("rm", "-f", lives)
        docker("rmi", second)


def test_without_that_program_a_container_is_refused_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    programs = tmp_path / "bin"
    programs.mkdir()
    for directory in reversed(os.environ["PATH"].split(":")):
        for program in Path(directory).iterdir() if Path(directory).is_dir() else ():
            if program.name != "fuse-overlayfs":
                (programs / program.name).unlink(missing_ok=True)
                (programs / program.name).symlink_to(program)
    monkeypatch.setenv("PATH", str(programs))
    with over_an_overlay(tmp_path) as engine, Docker(host=engine.host) as docker:
        image = docker.image("alone", busybox_files(), 'CMD ["/bin/sh"]')
        command = ["docker", "-H", docker.host, "run", "--rm", *ALONE, image, "true"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 125
        assert "containers need overlayfs, and the kernel has none over the file system" in done.stderr
        assert "install fuse-overlayfs" in done.stderr
        assert docker("ps", "-aq") == ""
