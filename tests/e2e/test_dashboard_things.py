"""Images, archives and projects, made and moved from the dashboard on a real engine."""

from __future__ import annotations

import json
import re
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.docker import LABEL, LONE, Docker
from support.registry import Registry
from support.terminal import Opener, Terminal


@pytest.fixture
def on(docker: Docker, pyd: Path, terminal: Opener) -> Callable[[str], Terminal]:
    """Open the dashboard on what a filter lets through, once that runs."""

    def start(words: str) -> Terminal:
        opened = terminal([pyd, "--host", docker.host, "--filter", words])
        opened.wait_for(re.compile(rf"● running .*{re.escape(words)}"))
        return opened

    return start


@pytest.fixture
def written(docker: Docker, busybox: str) -> Iterator[str]:
    """A container that runs and has written a file of its own."""
    script = "echo kept > /tmp/note; echo ready; exec sleep 1000"
    name = docker.run("written", busybox, "sh", "-c", script, options=LONE)
    yield name
    docker("rm", "-f", name)


def fill(screen: Terminal, text: str) -> None:
    """Type into the first field of a form in the place of what stands there, and send it."""
    screen.keys("C-u")
    screen.type(text)
    screen.keys("Enter")


def test_an_image_of_a_container_is_made_and_saved_to_a_file(
    docker: Docker, written: str, on: Callable[[str], Terminal], tmp_path: Path
):
    image = f"{docker.name('kept')}:fixed"
    screen = on(written)
    screen.keys("C")
    screen.wait_for("to an image")
    fill(screen, image)
    screen.wait_for(f"to {image}")
    assert docker("run", "--rm", "--network", "none", image, "cat", "/tmp/note") == "kept"
    screen.keys("2")
    screen.wait_for("Layers, newest first")
    screen.keys("/")
    screen.type(image)
    screen.keys("Enter", "C-s")
    screen.wait_for(f"Save {image}")
    fill(screen, str(tmp_path))
    screen.wait_for("wrote ")
    (saved,) = tmp_path.glob("*.tar")
    with tarfile.open(saved) as tar:
        manifest = tar.extractfile("manifest.json")
        assert manifest is not None
        assert json.load(manifest)[0]["RepoTags"] == [image]
    docker("rmi", image)


def test_all_files_of_a_container_are_exported(written: str, on: Callable[[str], Terminal], tmp_path: Path):
    screen = on(written)
    screen.keys(":")
    screen.type("export")
    screen.keys("Enter")
    screen.wait_for("Export the files of")
    fill(screen, str(tmp_path))
    screen.wait_for("wrote ")
    with tarfile.open(tmp_path / f"{written}.tar") as tar:
        note = tar.extractfile("tmp/note")
        assert note is not None
        assert note.read() == b"kept\n"


def test_a_newer_image_is_pulled_and_the_newest_told_for_what_it_is(
    docker: Docker, busybox: str, on: Callable[[str], Terminal], tmp_path: Path
):
    with Registry.started(tmp_path) as registry:
        image = f"{registry.address}/{docker.name('moving')}:1"
        docker("tag", busybox, image)
        docker("push", image)
        name = docker.run("outdated", image, "sleep", "1000", options=LONE)
        old = docker("inspect", "--format", "{{.Image}}", name)
        docker("commit", "-c", "ENV COLOUR=new", name, image)
        docker("push", image)
        docker("tag", old, image)  # here it is the old one still
        screen = on(name)
        screen.keys("I")
        screen.wait_for(f"Pull {image}?")
        screen.keys("y")
        screen.wait_for("pulled a newer")
        assert "COLOUR=new" in docker("image", "inspect", "--format", "{{.Config.Env}}", image)
        screen.keys("I")
        screen.wait_for(f"Pull {image}?")
        screen.keys("y")
        screen.wait_for("is up to date")
        docker("rm", "-f", name)
        docker("rmi", "-f", image)


def test_a_compose_project_is_stopped_brought_up_and_taken_down(
    docker: Docker, busybox: str, on: Callable[[str], Terminal], tmp_path: Path
):
    project = docker.name("shop")
    service = f"""
    image: {busybox}
    command: [sleep, "1000"]
    network_mode: none
    stop_signal: KILL
    labels: {{"{LABEL}": "{docker.prefix}"}}
"""
    (tmp_path / "compose.yaml").write_text(f"services:\n  web:{service}  db:{service}")
    docker("compose", "-p", project, "--project-directory", str(tmp_path), "up", "-d")
    screen = on(project)

    def states() -> list[str]:
        return docker("ps", "-a", "--filter", f"name={project}", "--format", "{{.State}}").split()

    def ended(verb: str) -> re.Pattern[str]:
        return re.compile(rf"compose {verb} {project}.*ended with 0")

    assert states() == ["running", "running"]
    screen.keys("Y")
    screen.type("stop")
    screen.keys("Enter")
    screen.wait_for(f"Stop project {project} (2 containers)?")
    screen.keys("y")
    screen.wait_for(ended("stop"))
    assert states() == ["exited", "exited"]
    screen.keys("q", "Y")
    screen.type("up")
    screen.keys("Enter")
    screen.wait_for(ended("up"))
    assert states() == ["running", "running"]
    screen.keys("q", "Y")
    screen.type("down")
    screen.keys("Enter")
    screen.wait_for(f"Take down project {project} (2 containers)?")
    screen.keys("y")
    screen.wait_for(ended("down"))
    assert states() == []
