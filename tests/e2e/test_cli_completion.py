"""Completion in a real shell, and `pyd` in a real terminal."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from support.docker import Docker
from support.missing import missing
from support.pyd import Run
from support.terminal import Opener


def test_bash_completes_verbs_options_and_names_of_containers(
    run: Run, docker: Docker, distroless: str, terminal: Opener
):
    if shutil.which("bash") is None:
        missing("bash")
    name = docker.run("completed", distroless, options=("--network", "none"))
    environment = {**run.host, "PS1": "> "}
    shell = terminal(["bash", "--norc", "--noprofile", "-i"], size=(120, 30), env=environment)
    shell.wait_for(">")
    shell.type(f"PATH={run.pyd.parent}:$PATH")
    shell.keys("Enter")
    shell.type('eval "$(pyd completion bash)"; echo lo""aded')
    shell.keys("Enter")
    shell.wait_for(re.compile("^loaded", re.MULTILINE))
    shell.type("pyd insp")
    shell.keys("Tab")
    shell.wait_for("pyd inspect")
    shell.type(name[:-3])
    shell.keys("Tab")
    shell.wait_for(f"pyd inspect {name}")
    shell.type("--si")
    shell.keys("Tab")
    shell.wait_for("--size")


def test_help_in_a_terminal_has_bold_headings_and_fits(run: Run, terminal: Opener):
    shown = terminal([run.pyd, "--help"], size=(70, 200))
    assert shown.wait_exit() == 0
    assert re.search(r"\x1b\[1m *Inspect", shown.ansi)
    assert "hint" not in shown.screen


def test_errors_in_a_terminal_are_two_lines_and_coloured_only_where_allowed(run: Run, terminal: Opener):
    command: list[str | Path] = [run.pyd, "inspect", "--type", "container", "no-such-one"]
    coloured = terminal(command, env=run.host)
    assert coloured.wait_exit() == 1
    assert "no such container: no-such-one [no-such-container]" in coloured.screen
    assert "hint: " in coloured.screen
    assert re.search(r"\x1b\[[0-9;]*31m", coloured.ansi)
    plain = terminal(command, env={**run.host, "NO_COLOR": "1"})
    assert plain.wait_exit() == 1
    assert not re.search(r"\x1b\[[0-9;]*31m", plain.ansi)
