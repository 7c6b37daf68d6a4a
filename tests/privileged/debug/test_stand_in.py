"""Changes of a session in a stand-in, on an engine that is reached only by its API: listed, put back, saved."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyd_core.debug.helper.container import LABEL
from support.connections import Way, ways
from support.docker import LABEL as OWNER
from support.docker import LONE, Docker

EDIT = """
cd /etc; echo new > new; mkdir -p /made/below; chown 7:8 /made; chmod 750 /made; echo 1 > /made/below/file
echo changed > conf; rm gone; ln -s conf link; chmod 700 /kept; touch /kept/more; head -c 300000 /dev/zero > /big
rm -r /again; mkdir /again; echo other > /again/inside
"""
CHANGES = [
    *("D /again/before", "A /again/inside", "A /big", "C /etc/conf", "D /etc/gone", "A /etc/link", "A /etc/new"),
    *("A /kept/more", "A /made", "A /made/below", "A /made/below/file"),
]
SHOWN = (
    "cat /etc/conf /etc/new /again/inside /made/below/file; readlink /etc/link; stat -c '%u %g %a' /made;"
    " wc -c < /big; ls -d /etc/gone /again/before /.pyd-holder 2>/dev/null; stat -c %a /kept"
)


@pytest.fixture(scope="module")
def user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Way]:
    with ways(tmp_path_factory.mktemp("ways")) as connections:
        yield connections["user"]


@pytest.fixture
def stopped(docker: Docker, busybox: str, request: pytest.FixtureRequest) -> str:
    """A container that doesn't run, with files to change."""
    script = "cd /etc; echo 1 > conf; echo 2 > gone; mkdir /again /kept; touch /again/before"
    name = docker.run(request.node.name[5:45], busybox, "sh", "-c", script, options=LONE)
    docker("wait", name)
    return name


def content(docker: Docker, name: str, path: str) -> str:
    """A file in a container that doesn't run."""
    packed = subprocess.run(["docker", "cp", f"{name}:{path}", "-"], capture_output=True, check=False).stdout
    return subprocess.run(["tar", "-xO"], input=packed, capture_output=True, check=False).stdout.decode()


def nothing_left(docker: Docker, name: str) -> bool:
    return docker("ps", "-aq", "--filter", f"label={LABEL}.target={docker.inspect(name)['Id']}") == ""


def images_of(docker: Docker) -> set[str]:
    """Return the ids of this run's images: what is saved has the labels of its container, and others use the engine."""
    return set(docker("images", "-aq", "--no-trunc", "--filter", f"label={OWNER}={docker.prefix}").split())


def test_every_kind_of_change_is_listed_and_saved_in_an_image(user: Way, docker: Docker, stopped: str):
    image = f"{docker.name('stood-saved')}:1"
    images = images_of(docker)
    done = user.debug("--diff", "--save", image, stopped, "-c", EDIT)
    try:
        assert done.returncode == 0, done.stderr
        assert done.stdout.decode().splitlines() == CHANGES
        assert f"saved as {image}: " in done.stderr.decode()
        assert images_of(docker) > images
        shown = docker("run", "--rm", *LONE, image, "sh", "-c", SHOWN)
        assert shown.split("\n") == ["changed", "new", "other", "1", "conf", "7 8 750", "300000", "700"]
        assert docker.inspect(image)["Config"]["Cmd"] == docker.inspect(stopped)["Config"]["Cmd"]
    finally:
        docker("rmi", "-f", image, check=False)
    assert images_of(docker) <= images
    assert nothing_left(docker, stopped)


def test_changes_are_put_back_and_what_cannot_be_is_told(user: Way, docker: Docker, stopped: str):
    done = user.debug("--apply", "/etc", "--apply", "/made/below", stopped, "-c", EDIT)
    notices = done.stderr.decode()
    assert done.returncode == 0, notices
    assert f"put back into {stopped}: 5 added, 1 changed" in notices
    assert "still there, for engines only put files into containers: /etc/gone" in notices
    assert content(docker, stopped, "/etc/conf") == "changed\n"
    assert content(docker, stopped, "/made/below/file") == "1\n"
    assert content(docker, stopped, "/big") == ""
    assert nothing_left(docker, stopped)


def test_what_the_container_changed_meanwhile_is_not_overwritten(
    user: Way, docker: Docker, stopped: str, tmp_path: Path
):
    with subprocess.Popen(
        user.command("--apply", "/etc/conf", "--apply", "/etc/new", stopped, "-c", "echo there; cat; " + EDIT),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=user.options["env"],
        cwd=tmp_path,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "there\n"
        (tmp_path / "conf").write_text("its own change\n")
        docker("cp", str(tmp_path / "conf"), f"{stopped}:/etc/conf")
        tmp_path.chmod(0o777)
        _, output = process.communicate(timeout=60)
    assert process.returncode == 125
    assert f"{stopped} itself has changed /etc/conf since the session began" in output
    (kept,) = tmp_path.glob("*.tar")
    assert str(kept) in output
    assert "etc/conf" in subprocess.run(["tar", "-tf", kept], capture_output=True, text=True, check=True).stdout
    assert content(docker, stopped, "/etc/conf") == "its own change\n"
    assert content(docker, stopped, "/etc/new") == ""
    assert nothing_left(docker, stopped)


def test_an_image_is_changed_into_another_and_not_in_place(user: Way, docker: Docker, busybox: str):
    image = f"{docker.name('stood-image')}:1"
    refused = user.debug("--apply", "/", f"image:{busybox}", "-c", "true")
    assert (refused.returncode, b"make a new one: --save IMAGE" in refused.stderr) == (125, True)
    done = user.debug("--save", image, f"image:{busybox}", "-c", "echo 1 > /new")
    try:
        assert done.returncode == 0, done.stderr
        assert docker("run", "--rm", *LONE, image, "cat", "/new") == "1"
        assert docker.inspect(image)["Config"]["Cmd"] == docker.inspect(busybox)["Config"]["Cmd"]
    finally:
        docker("rmi", "-f", image, check=False)
