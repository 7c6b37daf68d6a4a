"""Tests of `docker load` with archives of `docker save`, on both engines."""

from __future__ import annotations

import gzip
import lzma
import re
import subprocess
from pathlib import Path

import pytest

from support.docker import LABEL, Docker, busybox_files, environment


@pytest.fixture(scope="module")
def base(both: Docker) -> str:
    return both.image("saved", busybox_files(), 'CMD ["/bin/sh"]', directories=("tmp", "etc"))


def build(docker: Docker, base: str, name: str, step: str = "common") -> str:
    """Build an image of two steps, and return the output."""
    command = ["docker", "build", "--network", "none", "--label", f"{LABEL}={docker.prefix}", "-t", name, "-"]
    environ = environment(DOCKER_HOST=docker.host, DOCKER_BUILDKIT="0")
    text = f"FROM {base}\nRUN touch /{step}\n"
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False, env=environ)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_an_archive_that_is_compressed_twice_is_refused(both: Docker, base: str, tmp_path: Path):
    plain, twice = tmp_path / "plain.tar", tmp_path / "twice"
    both("save", "-o", str(plain), base)
    twice.write_bytes(gzip.compress(lzma.compress(plain.read_bytes(), preset=0), 1))
    command = ["docker", "-H", both.host, "load", "-i", str(twice)]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 1


def test_a_loaded_image_takes_its_name_from_another(both: Docker, base: str, tmp_path: Path):
    name, file = f"{both.name('moved')}:latest", tmp_path / "image.tar"
    build(both, base, name)
    both("save", "-o", str(file), name)
    other = both.inspect(base)["Id"]
    both("rmi", name)
    both("tag", base, name)
    output = both("load", "-i", str(file))
    assert f"The image {name} already exists, renaming the old one with ID {other} to empty string" in output
    assert both.inspect(name)["Id"] != other


def test_loading_what_is_here_changes_nothing(both: Docker, base: str, tmp_path: Path):
    name, file = both.name("same"), tmp_path / "image.tar"
    build(both, base, name)
    before = both.inspect(name)
    both("save", "-o", str(file), name)
    both("load", "-i", str(file))
    assert both.inspect(name) == before


def test_loaded_images_know_their_parents_and_are_no_cache(both: Docker, base: str, tmp_path: Path):
    """Builds use only named images as cache: anyone can write an archive's history."""
    name, file = both.name("family"), tmp_path / "images.tar"
    step = re.findall(r"^ ---> (\w{12})$", build(both, base, name, "own"), re.MULTILINE)[1]
    ids = [both.inspect(image)["Id"] for image in (base, step, name)]
    both("save", "-o", str(file), base, *ids[1:], name)
    both("rmi", name)
    both("load", "-i", str(file))
    assert [both.inspect(image)["Parent"] for image in ids[1:]] == ids[:2]
    assert "Using cache" not in build(both, base, both.name("again"), "own")
