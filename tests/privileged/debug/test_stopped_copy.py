"""Targets whose layers are out of reach: their files are copied through the engine's API."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from pyd_core.debug.clone import LABEL
from support.debugging import command
from support.docker import LONE, Docker

Far = Any


@pytest.fixture
def far(docker: Docker, tmp_path: Path) -> Far:
    """Run `pyd debug` where the engine's folder is covered, as if the engine were on another machine."""
    root = docker("info", "-f", "{{.DockerRootDir}}")
    environment = {**os.environ, "PYD_COPIES": f"{tmp_path}/copies"}

    def run(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            hidden(root, command(*arguments)),
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            env=environment,
            cwd=tmp_path,
        )
        assert not (tmp_path / "copies").exists()
        return done

    return run


def hidden(root: str, arguments: list[str]) -> list[str]:
    """A command line that runs another where a folder is covered."""
    return ["unshare", "-m", "sh", "-c", f'mount -t tmpfs none {root} && exec "$@"', "sh", *arguments]


def test_a_container_out_of_reach_is_entered_by_a_copy(docker: Docker, busybox: str, far: Far):
    script = "echo own > /etc/own; rm /bin/vi; chown 12:34 /etc/own; chmod 4751 /etc/own; mkdir /d"
    script += "; touch -d '2001-01-01 00:00:00' /d"
    name = docker.run("copy-far", busybox, "sh", "-c", script, options=LONE)
    docker("wait", name)
    before = sorted(docker("diff", name).splitlines())
    line = "PATH=/dev/.pyd/bin; cat /etc/own; stat -c '%u %g %a' /etc/own; stat -c %Y /d; echo x > /x; ls /x /bin/vi"
    done = far("--diff", name, "-c", line)
    assert done.stdout.split() == ["own", "12", "34", "4751", "978307200", "/x", "A", "/x"]
    assert "'/bin/vi': No such file" in done.stderr
    assert "all its files are copied first" in done.stderr
    assert "copying files out of the engine" in done.stderr
    assert sorted(docker("diff", name).splitlines()) == before


def test_an_image_out_of_reach_is_entered_and_no_container_stays(docker: Docker, distroless: str, far: Far):
    done = far(f"image:{distroless}", "-c", "ls /app; exit 4")
    assert (done.stdout, done.returncode) == ("/app\n", 4)
    assert docker("ps", "-aq", "--filter", f"ancestor={distroless}", "--filter", f"label={LABEL}") == ""


def test_changes_are_put_back_and_conflicts_seen_without_the_layers(
    docker: Docker, busybox: str, far: Far, tmp_path: Path
):
    name = docker.run("copy-farther", busybox, "sh", "-c", "echo 1 > /etc/conf", options=LONE)
    docker("wait", name)
    done = far("--apply", "/", name, "-c", "echo changed > /etc/conf; echo new > /etc/new")
    assert "put back into" in done.stderr
    assert docker("diff", name).count("/etc/new") == 1
    again = far("--apply", "/etc/conf", name, "-c", "cat /etc/conf; echo more > /etc/conf")
    assert (again.stdout, again.returncode) == ("changed\n", 0)
    (tmp_path / "conf").write_text("theirs, and longer\n")
    arguments = command("--apply", "/etc/conf", name, "-c", "echo mine > /etc/conf; echo ready; read line")
    root = docker("info", "-f", "{{.DockerRootDir}}")
    environment = {**os.environ, "PYD_COPIES": f"{tmp_path}/copies"}
    with subprocess.Popen(
        hidden(root, arguments), stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, cwd=tmp_path
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        docker("cp", f"{tmp_path}/conf", f"{name}:/etc/conf")
        process.communicate(b"\n", timeout=120)
    assert process.returncode == 125
    assert len(list(tmp_path.glob("pyd-*.tar"))) == 1


def test_a_copy_of_a_killed_session_is_removed_by_the_next(docker: Docker, distroless: str, far: Far, tmp_path: Path):
    name = docker.create("copy-cut", distroless, options=LONE)
    root = docker("info", "-f", "{{.DockerRootDir}}")
    environment = {**os.environ, "PYD_COPIES": f"{tmp_path}/copies"}
    arguments = hidden(root, command(name, "-c", "echo ready; sleep 1000"))
    with subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(signal.SIGKILL)
        process.stdout.read()
    assert len(list((tmp_path / "copies").iterdir())) == 1
    assert far(name, "-c", "true").returncode == 0


def test_links_in_a_copied_image_lead_nowhere(docker: Docker, sleeper: Path, far: Far, tmp_path: Path):
    files: dict[str, bytes | Path | str] = {"app": sleeper, "out": f"-> {tmp_path}", "etc": "-> /tmp"}
    image = docker.image("copied-links", files, 'CMD ["/app"]')
    name = docker.create("copy-copied-links", image, options=LONE)
    done = far(name, "-c", "ls -d /out /app; ls /out/")
    assert "/app" in done.stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == []
