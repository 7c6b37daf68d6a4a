"""Deaths while the dashboard is open are recorded and listed later."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from support.docker import Docker
from support.pyd import Run
from support.staging import wait_until
from support.terminal import Opener

PLAIN = ("--network", "none")


def test_deaths_are_written_down_while_the_dashboard_is_open(
    run: Run, docker: Docker, busybox: str, terminal: Opener, tmp_path: Path
):
    history: dict[str, Any] = {"PYD_HISTORY": str(tmp_path / "history.db")}
    before = docker.run("before", busybox, "sleep", "600", options=PLAIN)
    screen = terminal([run.pyd, "--filter", before], env={**run.host, **history})
    screen.wait_for(before)
    wait_until((tmp_path / "history.db").exists)
    docker("kill", before)

    def recorded() -> bool:
        brief = docker.run("brief", busybox, "sh", "-c", "exit 7", options=PLAIN)
        docker("wait", brief)
        return "app-error" in run("history", **history).stdout

    wait_until(recorded, 60)
    wait_until(lambda: "killed-by-user" in run("history", before, **history).stdout)
    refused = run("record", **history)
    assert refused.returncode != 0
    assert "another recorder" in refused.stderr
    screen.keys("q", "q")
    assert screen.wait_exit() == 0
    listed = run("ps", "-a", "-f", f"name={before}", **history).stdout
    assert "killed-by-user" in listed
