"""Lines that shells are given to start programs with."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from pyd_core.debug.inspectors.shell_line import FirstProgram, first_program

TOLD = {
    "app": FirstProgram("app", alone=True),
    "app --serve $PORT > /log 2>/err": FirstProgram("app", alone=True),
    "  /opt/app-1.2/bin/app_x": FirstProgram("/opt/app-1.2/bin/app_x", alone=True),
    "exec ./app": FirstProgram("./app", alone=True),
    "A=1 B='x y' C=\"z;\" exec app": FirstProgram("app", alone=True),
    "A= app": FirstProgram("app", alone=True),
    "app>/log": FirstProgram("app", alone=True),
    "app > /log 2>&1\n": FirstProgram("app", alone=True),
    "app & other": FirstProgram("app", alone=False),
    "app && other": FirstProgram("app", alone=False),
    "app; other": FirstProgram("app", alone=False),
    "app | other": FirstProgram("app", alone=False),
    "app\nother": FirstProgram("app", alone=False),
    "[app": None,
    "": None,
    "   ": None,
    "A=1": None,
    "A=$(date) app": None,
    "A=`date` app": None,
    "PATH=/opt app": None,
    "$APP": None,
    "${APP:-app} --serve": None,
    "'app' --serve": None,
    "\\app": None,
    "~/app": None,
    "/opt/*/app": None,
    "if true; then app; fi": None,
    "cd /srv && ./app": None,
    ". ./env && app": None,
    "exec": None,
    "exec -a name app": None,
    "exec exec app": None,
    "exec > /log": None,
    "(app)": None,
    "{ app; }": None,
    "! app": None,
    "> /log app": None,
    "2>/log app": None,
    "f() { app; }; f": None,
    "f () { app; }; f": None,
    "# app": None,
}


@pytest.mark.parametrize("line", TOLD, ids=repr)
def test_what_a_line_begins_with_is_told_or_left_to_a_shell(line: str):
    assert first_program(line) == TOLD[line]


@pytest.mark.parametrize("line", [line for line, program_start in TOLD.items() if program_start is not None], ids=repr)
def test_a_shell_starts_what_is_told(line: str, tmp_path: Path):
    program_start = first_program(line)
    assert program_start is not None
    program = tmp_path / (program_start.name.lstrip("./") if "/" in program_start.name else f"bin/{program_start.name}")
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text('#!/bin/sh\necho started >> "$STARTED"\n')
    program.chmod(0o755)
    line = line.replace("/opt/", f"{tmp_path}/opt/").replace("/log", f"{tmp_path}/log").replace("/err", f"{tmp_path}/e")
    environment = {"PATH": f"{tmp_path}/bin", "STARTED": str(tmp_path / "started")}
    subprocess.run(["/bin/sh", "-c", line], cwd=tmp_path, env=environment, check=False, capture_output=True)
    assert (tmp_path / "started").read_text() == "started\n"
