"""The dashboard's reason to be, by keyboard alone: find what is broken among many, understand it, enter it, mend it."""

from __future__ import annotations

import re
from pathlib import Path

from support.docker import LONE, Docker
from support.many_containers import Crowd
from support.terminal import Opener

BREAKS_ONCE = (
    "if [ -e /tried ]; then echo 'level=info msg=serving'; exec sleep 1000; fi; touch /tried; "
    "seq 1 300 | sed 's/.*/level=info msg=loading n=&/'; "
    "echo 'level=error msg=\"no such table: orders\" code=14'; "
    "seq 1 200 | sed 's/.*/level=info msg=closing n=&/'; exit 3"
)


def test_the_broken_one_of_two_hundred_is_found_understood_entered_and_restarted(
    docker: Docker, busybox: str, pyd: Path, terminal: Opener, tmp_path: Path
):
    name = docker.run("story", busybox, "sh", "-c", BREAKS_ONCE, options=LONE)
    docker("wait", name)
    socket = Path(docker.host.removeprefix("unix://"))
    with Crowd(tmp_path / "engine.sock", socket, 199) as engine:
        screen = terminal([pyd, "--host", engine.url])
        screen.wait_for("crowd-010")
        screen.keys("!")
        screen.wait_for(re.compile(rf"exited 3 +{re.escape(name)}"))
        screen.wait_for(re.compile(r"\d+ of \d{3,}"))
        screen.keys("/")
        screen.type(name)  # broken containers of other tests, or of a developer, are none of this story's
        screen.keys("Enter")
        screen.wait_for(re.compile(r"1 of \d{3,}"))
        screen.keys("w")
        screen.wait_for("What to do")
        screen.keys("q")
        screen.wait_for("esc shows all")
        screen.keys("l")
        screen.wait_for(re.compile(rf"Logs   {re.escape(name)}"))
        screen.keys("&")
        screen.type("level>=error")
        screen.keys("Enter")
        screen.wait_for("no such table: orders")
        screen._command("set-option", "-s", "set-clipboard", "on")
        screen.keys("/")  # the marks of its start and end lie next to it, in the order of times that differ little
        screen.type("no such table")
        screen.keys("Enter")
        screen.wait_for("1 of 1")
        screen.keys("c")
        screen.wait_for("copied")
        assert "no such table: orders" in screen._command("show-buffer")
        screen.keys("q")
        screen.wait_for("esc shows all")
        screen.keys("D")
        screen.wait_for(f"{name} (exited) root:/#", bound=120)  # the toolbox may have to be built first
        screen.type("ls -d /tried && echo seen=$((40 + 2))")
        screen.keys("Enter")
        screen.wait_for("seen=42")
        screen.type("exit")
        screen.keys("Enter")
        screen.wait_for("shell closed")
        screen.keys("r", "!")
        screen.wait_for(re.compile(rf"running +{re.escape(name)}"))
        screen.keys("C-c", "C-c")
        assert screen.wait_exit() == 0
    docker("rm", "-f", name)
