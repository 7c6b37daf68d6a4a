"""The dashboard by keyboard in a real terminal, over real containers of a real engine."""

from __future__ import annotations

import os
import re
import selectors
from collections.abc import Callable
from pathlib import Path

import pytest

from support.docker import Docker
from support.missing import missing
from support.terminal import BOUND, Opener, Terminal

ALONE = ("--network", "none")
LIVE = re.compile(r"live *$", re.MULTILINE)
"""The end of the top line once the list is there."""


@pytest.fixture
def watch(docker: Docker, pyd: Path, terminal: Opener) -> Callable[[str], Terminal]:
    """Open the dashboard on nothing but one container of this run, there or not yet."""

    def start(short: str) -> Terminal:
        opened = terminal([pyd, "--host", docker.host])
        opened.wait_for(LIVE)
        opened.keys("/")
        opened.type(docker.name(short))
        opened.keys("Enter")
        opened.wait_for(f"/ {docker.name(short)}")
        return opened

    return start


def row(name: str, state: str) -> re.Pattern[str]:
    """A line of the list that shows a container in a state."""
    return re.compile(rf"{re.escape(state)}\s+{re.escape(name)}\b")


def test_a_container_started_elsewhere_is_listed_and_its_death_and_exit_code_are_shown(
    docker: Docker, busybox: str, watch: Callable[[str], Terminal]
):
    dashboard = watch("guest")
    name = docker.run("guest", busybox, "sh", "-c", "echo hello; read line; exit 42", options=(*ALONE, "-i"))
    dashboard.wait_for(row(name, "● running"))
    docker("kill", "--signal", "KILL", name)
    dashboard.wait_for(row(name, "○ exited 137"))
    docker("rm", name)
    dashboard.wait_for(re.compile("no container matches|no containers yet"))


def test_logs_follow_what_the_container_prints(docker: Docker, busybox: str, watch: Callable[[str], Terminal]):
    dashboard = watch("printer")
    name = docker.run(
        "printer", busybox, "sh", "-c", "echo first line; sleep 1; echo second line; sleep 1000", options=ALONE
    )
    dashboard.wait_for(row(name, "● running"))
    dashboard.wait_for("first line")
    dashboard.wait_for("second line")
    docker("rm", "-f", name)


def test_why_tells_the_verdict_on_a_death_with_its_evidence(
    docker: Docker, busybox: str, watch: Callable[[str], Terminal]
):
    dashboard = watch("greedy")
    limited = (*ALONE, "--memory", "20m", "--memory-swap", "20m")
    name = docker.run("greedy", busybox, "sh", "-c", "tail /dev/zero", options=limited)
    dashboard.wait_for(row(name, "✗ exited 137"))
    dashboard.keys("!")
    dashboard.wait_for(re.compile(r"exited 137.*oom-killed"))
    dashboard.keys("w")
    dashboard.wait_for("What to do")
    dashboard.wait_for("oom-killed")
    dashboard.wait_for("Evidence")
    docker("rm", "-f", name)


def test_views_of_images_and_events_follow_what_the_engine_does(
    docker: Docker, busybox: str, pyd: Path, terminal: Opener
):
    opened = terminal([pyd, "--host", docker.host])
    opened.wait_for(LIVE)
    opened.keys("2")
    opened.wait_for("Layers, newest first")
    opened.keys("/")
    opened.type(docker.name("copy"))
    opened.keys("Enter")
    opened.wait_for("none of")
    docker("tag", busybox, f"{docker.name('copy')}:9")
    opened.wait_for(f"{docker.name('copy')}:9")
    opened.keys(":")
    opened.type("ev")
    opened.keys("Enter")
    opened.wait_for("Attributes")
    opened.keys("/")
    opened.type(docker.name("copy"))
    opened.keys("Enter")
    opened.wait_for(re.compile(rf"image +tagged +{docker.name('copy')}:9"))
    docker("rmi", f"{docker.name('copy')}:9")


def test_stop_and_remove_by_keyboard(docker: Docker, distroless: str, watch: Callable[[str], Terminal]):
    dashboard = watch("victim")
    name = docker.run("victim", distroless, options=ALONE)
    dashboard.wait_for(row(name, "● running"))
    dashboard.keys("s")
    dashboard.wait_for(row(name, "○ exited 0"))
    dashboard.keys("x")
    dashboard.wait_for(f"Remove {name}")
    dashboard.keys("y")
    dashboard.wait_for(f"removed {name}")
    assert name not in docker("ps", "-a", "--format", "{{.Names}}").split()


def test_a_container_without_a_shell_says_so_and_offers_debug(
    docker: Docker, distroless: str, watch: Callable[[str], Terminal]
):
    dashboard = watch("shellless")
    name = docker.run("shellless", distroless, options=ALONE)
    dashboard.wait_for(row(name, "● running"))
    dashboard.keys("e")
    dashboard.wait_for("has no shell  D opens a debug shell with its own tools")
    docker("rm", "-f", name)


def test_exec_leaves_the_terminal_to_the_containers_shell_and_comes_back(
    docker: Docker, busybox: str, watch: Callable[[str], Terminal]
):
    dashboard = watch("shelly")
    name = docker.run("shelly", busybox, "sleep", "1000", options=(*ALONE, "--hostname", "inside-it"))
    dashboard.wait_for(row(name, "● running"))
    dashboard.keys("e")
    dashboard.wait_for("~ #")
    assert not dashboard.alternate
    dashboard.type("echo host=$(hostname)")
    dashboard.keys("Enter")
    dashboard.wait_for("host=inside-it")
    dashboard.keys("C-c", "C-c")
    dashboard.type("exit 5")
    dashboard.keys("Enter")
    dashboard.wait_for("shell closed, exit code 5")
    dashboard.wait_for(row(name, "● running"))
    docker("rm", "-f", name)


def test_debug_leaves_the_terminal_to_a_shell_with_tools_and_comes_back(
    docker: Docker, distroless: str, watch: Callable[[str], Terminal], toolbox: None
):
    dashboard = watch("bare")
    name = docker.run("bare", distroless, options=ALONE)
    dashboard.wait_for(row(name, "● running"))
    dashboard.keys("D")
    dashboard.wait_for(f"{name} (running) root:/#", bound=120)  # the toolbox may have to be built first
    dashboard.type("echo pid1=$(tr -d '\\0' < /proc/1/cmdline)")
    dashboard.keys("Enter")
    dashboard.wait_for("pid1=/app")
    dashboard.type("exit")
    dashboard.keys("Enter")
    dashboard.wait_for("shell closed")
    docker("rm", "-f", name)


@pytest.fixture
def toolbox(pyd: Path) -> None:
    """Skip where `pyd debug` can't be run."""
    import importlib.util

    if importlib.util.find_spec("pyd_tui.cli.commands.debug.debug") is None:
        missing("pyd debug")


def test_opens_without_an_engine_and_says_what_to_do(pyd: Path, terminal: Opener, tmp_path: Path):
    opened = terminal([pyd, "--host", f"unix://{tmp_path}/no.sock"])
    opened.wait_for("no engine")
    opened.wait_for("pyd keeps trying")
    opened.keys("q", "q")
    assert opened.wait_exit() == 0


def test_the_terminal_is_as_it_was_after_quitting(docker: Docker, pyd: Path, terminal: Opener):
    opened = terminal(
        ["sh", "-c", f'echo before; {pyd} --host {docker.host}; code=$?; stty -a; echo "after $code"; exec cat']
    )
    opened.wait_for(LIVE)
    assert opened.alternate
    opened.keys("q", "q")
    opened.wait_for("after 0")
    assert not opened.alternate
    assert "before" in opened.screen
    assert re.search(r"(?<!-)\bicanon\b", opened.screen)
    assert re.search(r"(?<!-)\becho\b", opened.screen)
    opened.type("typed after")
    opened.wait_for("typed after")


def test_without_colour_there_is_none(pyd: Path, terminal: Opener, tmp_path: Path):
    opened = terminal([pyd, "--host", f"unix://{tmp_path}/no.sock"], env={"NO_COLOR": "1"})
    opened.wait_for("pyd keeps trying")
    assert not re.search(r"\x1b\[[0-9;]*(?:[34][0-7]|[34]8;|9[0-7])[0-9;]*m", opened.ansi)


def test_it_survives_every_size_and_ends_with_its_terminal(docker: Docker, busybox: str, pyd: Path, terminal: Opener):
    name = docker.run("sized", busybox, "sleep", "1000", options=ALONE)
    screen = terminal([pyd, "--host", docker.host, "--filter", name])
    screen.wait_for(re.compile(rf"running +{name}"))
    for columns, lines in ((40, 10), (1, 1), (200, 50)):
        screen.resize(columns, lines)
    screen.wait_for(re.compile(rf"running +{name}"))
    pid = screen.pid
    process = os.pidfd_open(pid)
    try:
        screen.close()  # as when an ssh connection breaks: SIGHUP, and no terminal any more
        with selectors.DefaultSelector() as ended:
            ended.register(process, selectors.EVENT_READ)
            assert ended.select(timeout=BOUND), "it outlived its terminal"
    finally:
        os.close(process)
        docker("rm", "-f", name)


def test_whoever_interrupts_the_start_has_the_screen_back(pyd: Path, terminal: Opener):
    line = f"trap : INT; echo before; {pyd} --host unix:///nonexistent/engine.sock; echo over; exec cat"
    shell = terminal(["sh", "-c", line])
    shell.wait_for(re.compile("^ pyd", re.MULTILINE))
    shell.keys("C-c")
    assert "before" in shell.wait_for("over")
    assert not shell.alternate
