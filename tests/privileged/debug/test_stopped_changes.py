"""Changes of a session in a container that doesn't run: listed, put back, saved, and never lost by a failure."""

from __future__ import annotations

import json
import os
import subprocess
import tarfile
from pathlib import Path

import pexpect
import pytest

from support.debugging import Run, command
from support.docker import LABEL, LONE, Docker

EDIT = """
echo new > /etc/new; mkdir -p /made/below; echo 1 > /made/below/file
echo changed > /etc/conf; chmod 600 /etc/mode; rm /etc/gone; rm -r /tree
rm -r /again && mkdir /again && echo other > /again/inside
: >> /etc/untouched; ln -s conf /etc/link; ln /etc/new /etc/hard
"""

CHANGES = [
    *("D /again/before", "A /again/inside", "C /etc/conf", "D /etc/gone", "A /etc/hard", "A /etc/link", "C /etc/mode"),
    *("A /etc/new", "A /made", "A /made/below", "A /made/below/file", "D /tree"),
]


@pytest.fixture
def edited(docker: Docker, busybox: str, request: pytest.FixtureRequest) -> str:
    """A container that doesn't run, with files to change; some are its image's, some its own."""
    short = request.node.name.replace("[", "-").rstrip("]")[:60]
    files = "cd /etc; echo 1 > conf; echo 2 > gone; echo 3 > untouched; : > mode"
    script = f"{files}; mkdir /tree /again; touch /tree/x /again/before"
    name = docker.run(short, busybox, "sh", "-c", script, options=LONE)
    docker("wait", name)
    return name


def content(docker: Docker, name: str, path: str) -> str:
    """A file in a container that doesn't run."""
    packed = subprocess.run(["docker", "cp", f"{name}:{path}", "-"], capture_output=True, check=False).stdout
    return subprocess.run(["tar", "-xO"], input=packed, capture_output=True, check=False).stdout.decode()


def test_every_kind_of_change_is_listed_and_nothing_else(debug: Run, docker: Docker, edited: str):
    before = sorted(docker("diff", edited).splitlines())
    done = debug("--diff", edited, "-c", EDIT)
    assert sorted(done.stdout.splitlines()) == sorted(CHANGES)
    assert (done.stderr, done.returncode) == ("", 0)
    assert sorted(docker("diff", edited).splitlines()) == before


def test_nothing_changed_is_an_empty_list_also_with_mounts_in_new_places(
    debug: Run, docker: Docker, distroless: str, tmp_path: Path
):
    name = docker.create(
        "changes-nothing", distroless, options=(*LONE, "-v", f"{tmp_path}:/new/place", "--tmpfs", "/run/x")
    )
    done = debug("--diff", name, "-c", "ls /new/place; exit 3")
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 3)


def test_a_path_is_put_back_with_what_it_needs(debug: Run, docker: Docker, edited: str):
    done = debug("--apply", "/etc/conf", "--apply", "/made/below/file", edited, "-c", EDIT)
    assert f"put back into {edited}: 3 added, 1 changed" in done.stderr
    assert content(docker, edited, "/etc/conf") == "changed\n"
    assert content(docker, edited, "/made/below/file") == "1\n"
    assert content(docker, edited, "/etc/new") == ""


def test_all_is_put_back_but_deletions_which_are_told(debug: Run, docker: Docker, edited: str):
    done = debug("--apply", "/", edited, "-c", EDIT)
    assert done.returncode == 0
    assert "/etc/gone" in done.stderr
    assert "/tree" in done.stderr
    seen = debug(
        edited, "-c", "cat /etc/conf /etc/new /again/inside; readlink /etc/link; /dev/.pyd/bin/stat -c %a /etc/mode"
    )
    assert seen.stdout.split() == ["changed", "new", "other", "conf", "600"]
    assert debug(edited, "-c", "ls /etc/gone /tree/x").returncode == 0
    assert debug(edited, "-c", "[ /etc/new -ef /etc/hard ]").returncode == 0


def test_owners_times_and_file_capabilities_are_put_back(debug: Run, docker: Docker, edited: str):
    line = (
        "echo x > /f; chown 12:34 /f; chmod 4751 /f; /dev/.pyd/bin/touch -d @1000000000.5 /f; setcap cap_net_raw+ep /f"
    )
    assert debug("--apply", "/f", edited, "-c", line).returncode == 0
    seen = debug(edited, "-c", "/dev/.pyd/bin/stat -c '%u %g %a %Y' /f; getcap /f")
    assert seen.stdout == "12 34 4751 1000000000\n/f cap_net_raw=ep\n"


def test_what_the_container_changed_meanwhile_is_not_overwritten_nor_lost(docker: Docker, edited: str, tmp_path: Path):
    arguments = command("--apply", "/etc", edited, "-c", "echo mine > /etc/conf; echo ready; read line")
    streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(arguments, text=True, cwd=tmp_path, **streams) as process:  # type: ignore[call-overload]
        assert process.stdout.readline() == "ready\n"
        (tmp_path / "conf").write_text("theirs\n")
        docker("cp", f"{tmp_path}/conf", f"{edited}:/etc/conf")
        _, output = process.communicate("\n", timeout=120)
    assert process.returncode == 125
    assert "itself has changed /etc/conf" in output
    assert content(docker, edited, "/etc/conf") == "theirs\n"
    (rescued,) = tmp_path.glob("pyd-*.tar")
    assert str(rescued) in output
    with tarfile.open(rescued) as tar:
        file = tar.extractfile("etc/conf")
        assert file is not None
        assert file.read() == b"mine\n"


def test_a_container_started_meanwhile_gets_what_it_did_not_touch(docker: Docker, busybox: str):
    name = docker.create("changes-started", busybox, "sleep", "1000", options=LONE)
    arguments = command("--apply", "/etc/conf", name, "-c", "echo mine > /etc/conf; echo ready; read line")
    streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(arguments, text=True, **streams) as process:  # type: ignore[call-overload]
        assert process.stdout.readline() == "ready\n"
        docker("start", name)
        _, output = process.communicate("\n", timeout=120)
    assert process.returncode == 0
    assert f"{name} was started meanwhile" in output
    assert docker("exec", name, "cat", "/etc/conf") == "mine"


def test_a_path_that_did_not_change_is_told_and_the_rest_is_rescued(debug: Run, edited: str, tmp_path: Path):
    done = debug("--apply", "/etc/no", edited, "-c", "echo mine > /etc/conf", cwd=tmp_path)
    assert done.returncode == 125
    assert "changed nothing at /etc/no" in done.stderr
    assert len(list(tmp_path.glob("pyd-*.tar"))) == 1


def test_where_nothing_changed_there_is_nothing_to_rescue(debug: Run, edited: str, tmp_path: Path):
    done = debug("--apply", "/etc/no", edited, "-c", "true", cwd=tmp_path)
    assert done.returncode == 125
    assert "changed nothing at /etc/no" in done.stderr
    assert list(tmp_path.iterdir()) == []


def images_of(docker: Docker) -> list[str]:
    """Return the ids of this run's images: what is saved has the labels of its container, and others use the engine."""
    return docker("images", "-aq", "--filter", f"label={LABEL}={docker.prefix}").split()


@pytest.mark.parametrize("source", ["container", "image"])
def test_a_saved_image_has_the_changes_and_the_configuration(debug: Run, docker: Docker, edited: str, source: str):
    target = edited
    if source == "image":
        target = f"{docker.name('base')}:1"
        docker("commit", "-c", "ENV A=b", "-c", f"LABEL {LABEL}={docker.prefix}", edited, target)
    count = len(images_of(docker))
    saved = f"{docker.name(f'saved-{source}')}"
    done = debug("--save", saved, target, "-c", EDIT)
    assert done.returncode == 0, done.stderr
    assert f"saved as {saved}:latest" in done.stderr
    assert len(images_of(docker)) > count
    seen = debug(f"image:{saved}", "-c", "cat /etc/conf /again/inside; ls /etc/gone /tree /again/before")
    assert seen.stdout.split() == ["changed", "other"]
    assert seen.stderr.count("No such file") == 3
    old, new = (json.loads(docker("inspect", image))[0] for image in (target, saved))
    assert new["Config"]["Env"] == old["Config"]["Env"]
    assert new["Config"]["Cmd"] == old["Config"]["Cmd"]
    assert docker("run", "--rm", "--network", "none", saved, "cat", "/etc/conf") == "changed"
    docker("rmi", "-f", saved)
    assert len(images_of(docker)) <= count


def test_a_name_that_is_none_is_refused_before_anything_is_done(debug: Run, edited: str, tmp_path: Path):
    for name in ("Web", "a b", "x@sha256:1", "web:", "-", "/"):
        done = debug(f"--save={name}", edited, "-c", "echo ran", cwd=tmp_path)
        if name != "-":
            assert (done.stdout, done.returncode) == ("", 125)


def test_changes_of_an_image_and_of_what_runs_cannot_be_put_back(debug: Run, docker: Docker, locked: str, busybox: str):
    image = debug("--apply", "/", f"image:{busybox}", "-c", "echo ran")
    assert (image.returncode, image.stdout) == (125, "")
    assert "--save IMAGE" in image.stderr
    running = debug("--diff", locked, "-c", "echo ran")
    assert (running.returncode, running.stdout) == (125, "")


def test_on_a_terminal_changes_are_asked_about(docker: Docker, edited: str, tmp_path: Path):
    program, *arguments = command("--shell", "bash", edited)
    environment: os._Environ[str] | dict[str, str] = {**os.environ, "TERM": "xterm"}
    child = pexpect.spawn(program, arguments, timeout=120, encoding="utf-8", env=environment, cwd=str(tmp_path))
    child.expect("what you change is thrown away")
    child.expect("# ")
    child.sendline("echo mine > /etc/conf; exit")
    child.expect("1 changed. Enter: throw away")
    child.sendline("l")
    child.expect("C /etc/conf")
    child.expect("Enter: throw away")
    child.sendline("a")
    child.expect("put back into")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    assert content(docker, edited, "/etc/conf") == "mine\n"
