"""Working with containers by keyboard alone, in a real terminal over real containers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.docker import LONE, Docker
from support.terminal import Opener, Terminal

LIVE = re.compile(r"live *$", re.MULTILINE)


@pytest.fixture
def on(docker: Docker, pyd: Path, terminal: Opener) -> Callable[..., Terminal]:
    """Open the dashboard on one container of this run."""

    def start(name: str) -> Terminal:
        opened = terminal([pyd, "--host", docker.host, "--filter", name])
        opened.wait_for(re.compile(rf"running +{re.escape(name)}"))
        return opened

    return start


@pytest.fixture
def server(docker: Docker, busybox: str) -> Iterator[str]:
    """A container that runs, with files of its own and a secret."""
    script = "mkdir -p /srv/app; echo 'port = 80' > /srv/app/app.toml; exec sleep 1000"
    name = docker.run("work", busybox, "sh", "-c", script, options=(*LONE, "-e", "DB_PASSWORD=hunter2"))
    yield name
    docker("rm", "-f", name)


def test_files_are_browsed_read_and_taken_out(server: str, on: Callable[..., Terminal], tmp_path: Path):
    screen = on(server)
    screen.keys("Enter", "F")
    screen.wait_for(re.compile(r"\+ +srv/"))
    screen.keys("/")
    screen.type("srv")
    screen.keys("Enter", "Enter")
    screen.wait_for("/srv  1 entry  live")
    screen.keys("Enter")
    screen.wait_for("app.toml")
    screen.keys("Enter")
    screen.wait_for("port = 80")
    screen.keys("C-s")
    screen.wait_for("to directory")
    screen.keys("C-u")
    screen.type(str(tmp_path / "out"))
    screen.keys("Enter")
    screen.wait_for("wrote ")
    assert (tmp_path / "out/app.toml").read_text() == "port = 80\n"


def test_a_container_runs_again_with_changes_and_undo_brings_it_back(
    docker: Docker, server: str, on: Callable[..., Terminal]
):
    screen = on(server)
    before = docker("inspect", "--format", "{{.Id}}", server)
    screen.keys("A")
    screen.wait_for(":undo restores the old one")
    screen.keys("Tab", "Tab")
    screen.type("MODE=debug")
    screen.keys("Tab", "Tab")
    screen.type("64x")
    screen.keys("Enter")
    screen.wait_for("can't update memory to 64x")
    screen.keys("BSpace")
    screen.type("m")
    screen.keys("Enter")
    screen.wait_for("recreated ")
    container = json.loads(docker("inspect", server))[0]
    assert container["Id"] != before
    assert "MODE=debug" in container["Config"]["Env"]
    assert container["HostConfig"]["Memory"] == 64 << 20
    screen.keys(":")
    screen.type("undo")
    screen.keys("Enter")
    screen.wait_for("was restored")
    assert docker("inspect", "--format", "{{.Id}} {{.State.Running}}", server) == f"{before} true"


def test_settings_hold_conflicts_are_told_and_what_is_chosen_is_remembered(
    server: str, on: Callable[..., Terminal], tmp_path: Path
):
    config = tmp_path / "config" / "pyd" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text('[keys.containers]\ninspect = "f4"\nwhy = "s"\n')
    screen = on(server)
    screen.wait_for("s is set for containers.why and for containers.stop")
    screen.keys("F4")
    screen.wait_for('"Created":')
    screen.keys("/")
    screen.type("DB_PASSWORD")
    screen.keys("Enter")
    screen.wait_for("DB_PASSWORD=•••")
    assert "hunter2" not in screen.screen
    screen.keys("H")
    screen.wait_for("hunter2")
    screen.keys("q")
    screen.wait_for(LIVE)
    screen.keys("2")
    screen.wait_for("Layers, newest first")
    screen.keys("C-c", "C-c")
    assert screen.wait_exit() == 0
    state = json.loads((tmp_path / "state" / "pyd" / "dashboard.json").read_text())
    assert state["view"] == "images"


def test_a_terminal_without_utf8_gets_ascii_alone_and_one_of_few_colours_its_own(
    docker: Docker, pyd: Path, server: str, terminal: Opener
):
    opened = terminal(
        ["env", "TERM=xterm", pyd, "--host", docker.host, "--filter", server],
        env={"LC_ALL": "C", "COLORTERM": ""},
    )
    opened.wait_for(re.compile(rf"\* running +{re.escape(server)}"))
    opened.keys("x")
    opened.wait_for("+----")
    assert opened.screen.isascii()
    assert not re.search(r"\x1b\[[0-9;]*[34]8;[25]", opened.ansi)
    opened.keys("n")
