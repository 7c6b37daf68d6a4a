"""The log screen by keyboard in a real terminal, over real containers of a real engine."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from support.docker import Docker
from support.terminal import Opener, Terminal

ALONE = ("--network", "none")
TALK = (
    "seq 1 5000 | sed 's/.*/level=info msg=request n=&/'; echo 'level=error msg=\"disk is full\" n=5001'; "
    "printf '\\033[2J\\033]0;owned\\007level=info msg=after n=5002\\n'; read line; exit 9"
)


@pytest.fixture
def log(docker: Docker, pyd: Path, terminal: Opener) -> Callable[..., Terminal]:
    """Open the dashboard and in it the log of a container of this run."""

    def start(name: str, *variables: str, env: Mapping[str, str] | None = None) -> Terminal:
        opened = terminal([*variables, pyd, "--host", docker.host], env=env)
        opened.wait_for(re.compile(r"live *$", re.MULTILINE))
        opened.keys("/")
        opened.type(name)
        opened.wait_for(re.compile(rf"running +{re.escape(name)}"))
        opened.keys("Enter", "l")
        opened.wait_for(re.compile(rf"Logs   {re.escape(name)}"))
        return opened

    return start


def test_a_long_log_opens_at_its_end_is_searched_narrowed_and_read_back(
    docker: Docker, busybox: str, log: Callable[[str], Terminal]
):
    name = docker.run("talker", busybox, "sh", "-c", TALK, options=(*ALONE, "-i"))
    screen = log(name)
    screen.wait_for("msg=after n=5002")
    assert "␛[2J" in screen.screen
    screen.keys("&")
    screen.type("level>=error")
    screen.keys("Enter", "+")
    screen.wait_for("disk is full")
    screen.wait_for("3 of ")
    screen.keys("BSpace", "/")
    screen.type("n=4500")
    screen.keys("Enter")
    screen.wait_for("1 of 1")
    screen.keys("Escape")
    screen.wait_gone("1 of 1")  # a key right after escape would be one with alt
    screen.keys("g")
    screen.wait_for("line 1 of 5,002")
    docker("kill", "--signal", "KILL", name)
    screen.keys("G")
    screen.wait_for(f"{name} died, exit 137")
    docker("rm", name)


def test_a_line_is_copied_by_keyboard_into_the_terminals_clipboard(
    docker: Docker, busybox: str, log: Callable[[str], Terminal]
):
    name = docker.run("copied", busybox, "sh", "-c", "echo first; echo second; exec sleep 1000", options=ALONE)
    screen = log(name)
    screen.wait_for("second")
    screen._command("set-option", "-s", "set-clipboard", "on")  # tmux then keeps what programs put on the clipboard
    screen.keys("k", "c")
    screen.wait_for("copied the line")
    assert screen._command("show-buffer").strip() == "first"
    docker("rm", "-f", name)


LONG = "größe日本" * 9_000
"""More than terminals take on their clipboard."""


def saved(screen: Terminal, data: Path) -> list[str]:
    """Return the lines of the file that the screen names; only its owner may read it."""
    screen.wait_for(re.compile(r"saved\b.* to /"))
    (path,) = (data / "pyd" / "logs").iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    lines = path.read_text().splitlines()
    path.unlink()
    return lines


def test_what_is_too_long_for_the_clipboard_is_copied_to_a_file_that_is_named(
    docker: Docker, busybox: str, log: Callable[..., Terminal], tmp_path: Path
):
    script = "i=0; while [ $i -lt 2500 ]; do echo line $i $(seq -s, 1 60); i=$((i + 1)); done; exec sleep 1000"
    name = docker.run("too-long", busybox, "sh", "-c", script, options=(*ALONE, "--label", f"long={LONG}"))
    screen = log(name, env={"XDG_DATA_HOME": str(tmp_path)})
    screen._command("set-option", "-s", "set-clipboard", "on")
    screen.wait_for("line 2499")
    screen.keys("v", *["PPage"] * 28, "c")
    screen.wait_for("too much for the clipboard")
    lines = saved(screen, tmp_path)
    numbers = ",".join(map(str, range(1, 61)))
    first = int(lines[0].split(" ")[2])
    assert len(lines) == 2500 - first >= 500
    assert [line.partition(" ")[2] for line in lines] == [f"line {number} {numbers}" for number in range(first, 2500)]
    screen.keys("q", "i")
    screen.wait_for('"Id"')
    screen.keys("/")
    screen.type('"long"')
    screen.keys("Enter")
    screen.wait_for("1 of 1")
    screen.keys("y")
    assert saved(screen, tmp_path) == [LONG]
    with pytest.raises(AssertionError, match="no buffers"):
        screen._command("show-buffer")  # nothing of it, and no part of it, went to the clipboard
    docker("rm", "-f", name)


def test_where_the_terminal_has_no_clipboard_copies_go_to_a_file_or_stay_on_the_screen(
    docker: Docker, busybox: str, log: Callable[..., Terminal], tmp_path: Path
):
    script = "echo first; printf '\\033[2Jsecond\\n'; exec sleep 1000"
    several = "one\ntwo"
    name = docker.run("no-clipboard", busybox, "sh", "-c", script, options=(*ALONE, "--label", f"several={several}"))
    screen = log(name, "TERM=linux", env={"XDG_DATA_HOME": str(tmp_path)})
    screen._command("set-option", "-s", "set-clipboard", "on")
    screen.wait_for("second")
    screen.keys("c")
    screen.wait_for("no clipboard here")
    (line,) = saved(screen, tmp_path)
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT[\d:.]+Z ␛\[2Jsecond", line)
    screen.keys("q", "i")
    screen.wait_for('"Id"')
    screen.keys("/")
    screen.type('"several"')
    screen.keys("Enter")
    screen.wait_for("1 of 1")
    screen.keys("y")
    assert saved(screen, tmp_path) == several.split("\n")
    screen.keys("c")
    screen.wait_for(re.compile(r"^ \.Config\.Labels\.several +this terminal has no clipboard", re.MULTILINE))
    assert not [*(tmp_path / "pyd" / "logs").iterdir()]
    with pytest.raises(AssertionError, match="no buffers"):
        screen._command("show-buffer")
    docker("rm", "-f", name)


@pytest.mark.timeout(900)  # on a busy machine
def test_a_log_of_two_gigabytes_opens_at_its_end_and_is_read_back(
    docker: Docker, busybox: str, log: Callable[[str], Terminal]
):
    name = docker.run(
        "endless", busybox, "sh", "-c", "[ -e /tmp/once ] && exec sleep 1000; : > /tmp/once", options=ALONE
    )
    docker("wait", name)  # a running container's log is read as far as the engine itself has written
    path = Path(docker("inspect", "--format", "{{.LogPath}}", name))
    if not path.is_file():
        pytest.skip("the engine's log files aren't within reach: root on its machine is needed")
    line = {"log": "x" * 900 + "\n", "stream": "stdout", "time": "2024-01-02T03:04:05.000000006Z"}
    block = (json.dumps(line) + "\n").encode() * 1024
    with path.open("ab") as file:
        for _ in range(2**31 // len(block) + 1):
            file.write(block)
        for number in range(5000):
            later = {"log": f"the end n={number}\n", "time": f"2024-01-02T03:04:06.{number:09}Z"}
            file.write((json.dumps(line | later) + "\n").encode())
    assert path.stat().st_size > 2**31
    docker("start", name)
    try:
        screen = log(name)
        screen.wait_for("the end n=4999")
        screen.keys("g")
        screen.wait_for("xxxx")
        screen.keys("G")
        screen.wait_for("the end n=4999")
    finally:
        docker("rm", "-f", name)


def test_the_logs_of_marked_containers_are_one_and_each_is_heard_alone_or_left_out(
    docker: Docker, busybox: str, pyd: Path, terminal: Opener
):
    names = [
        docker.run(f"choir-{voice}", busybox, "sh", "-c", f"echo sung by {voice}; read line", options=(*ALONE, "-i"))
        for voice in ("alto", "bass")
    ]
    screen = terminal([pyd, "--host", docker.host, "--filter", docker.name("choir")])
    screen.wait_for(names[1])
    screen.keys("*", "l")
    screen.wait_for("sung by bass")
    screen.wait_for("sung by alto")
    screen.keys("@")
    screen.wait_gone("sung by alto")
    assert "sung by bass" in screen.screen
    screen.keys("@")
    screen.wait_for("sung by alto")
    screen.keys("#")
    screen.wait_gone("sung by bass")
    assert "sung by alto" in screen.screen
    docker("rm", "-f", *names)
