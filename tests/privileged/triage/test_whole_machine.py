"""A machine that runs out of memory as a whole: only where it is nobody's (`nox -s vm`)."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable

import pytest

from pyd_core.triage.verdict import Verdict
from support.docker import Docker
from support.stages import NONE, check

pytestmark = pytest.mark.skipif("PYD_VM" not in os.environ, reason="takes all memory: only in the machine of nox -s vm")


def test_a_machine_without_memory(docker: Docker, stage_image: str, judge: Callable[[str], Verdict]) -> None:
    # The kernel chooses by size and by this score, so the one to die is this container and not the engine.
    options = (*NONE, "--oom-score-adj", "1000")
    name = docker.run("takes-all", stage_image, "/hog", options=options)
    subprocess.run(["docker", "-H", docker.host, "wait", name], check=True, capture_output=True, timeout=240)
    verdict = judge(name)
    check(verdict, "oom-host")
    assert "oom-killed" not in verdict.contributing
