"""The dashboard's view of builds, over a running build."""

from __future__ import annotations

import subprocess
from pathlib import Path

from builds.conftest import Builders
from builds.test_own_client import executable
from support.docker import environment
from support.terminal import Terminal

TICKS = "n=0; while [ $n -lt 1000 ]; do n=$((n + 1)); echo tick $n; sleep 1; done"


def test_the_tree_of_a_running_build_grows_without_a_key_until_its_end(builders: Builders, tmp_path: Path):
    (tmp_path / "Dockerfile").write_text(f"FROM {builders.base}\nRUN {TICKS}\n")
    own = {"XDG_CONFIG_HOME": str(tmp_path / "config"), "XDG_STATE_HOME": str(tmp_path / "state")}
    host = builders.pydd.host
    build = subprocess.Popen(
        [executable(), "-H", host, "build", str(tmp_path)],
        env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        with Terminal([executable(), "-H", host], (120, 40), own) as terminal:
            terminal.wait_for("live")
            terminal.type(":builds")
            terminal.wait_for(": builds")
            terminal.keys("Enter")
            terminal.wait_for("running")
            for tick in ("tick 3", "tick 6"):
                terminal.wait_for(tick)
            build.terminate()
            terminal.wait_gone("running")
            terminal.wait_for("canceled")
    finally:
        build.kill()
        build.wait()
