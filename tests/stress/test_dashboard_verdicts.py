"""The verdicts in the dashboard are those of `pyd triage`, for every staged death on Podman and pydd."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from support.coverage_page import on_podman
from support.docker import Docker
from support.missing import missing
from support.podman import Podman
from support.pydd import Pydd
from support.stages import STAGES, make_stage_image, stage
from support.staging import Stage, make_programs
from support.terminal import Terminal

PYD = Path(sys.executable).with_name("pyd")
MAX_CONCURRENT_STAGES = 3
UNSEEN = frozenset({"oom-child-lives"})
"""Nothing that a list reads shows a death inside a running container, if the engine doesn't flag it, as pydd and Podman
don't, and it was before the dashboard was opened."""
NUMBER = re.compile(r"\d+(?:\.\d+)?")
MIN_SHOWN_CHARACTERS = 40
"""Of the reason and the cause after it, which the column may cut."""
ROW = re.compile(r"[●○✗‖↻◌…] +[a-z]+")


@pytest.fixture(params=["podman", "pydd"])
def corner(request: pytest.FixtureRequest) -> Iterator[Docker]:
    if request.param == "pydd":
        with Pydd.started() as engine, Docker(host=engine.host, prefix="dv") as corner:
            yield corner
        return
    if shutil.which("podman") is None:
        missing("podman")
    with Podman() as service, service.corner() as corner:
        corner.prefix = "dv"
        yield corner


def stages_on(corner: Docker) -> list[Stage]:
    chosen = os.environ.get("PYD_STAGES", "").split()
    stages = STAGES if "podman" not in corner.host else [this for this in STAGES if on_podman(this)]
    return [this for this in stages if not chosen or this.short in chosen]


def staged(corner: Docker, image: str, this: Stage) -> Stage | None:
    """Stage a death; None where the engine can't, as Podman can't pause on some hosts."""
    try:
        stage(corner, image, this)
    except AssertionError:
        return None
    return this


def triage(corner: Docker, name: str) -> dict[str, object]:
    done = subprocess.run(
        [PYD, "-H", corner.host, "triage", name, "--json"], capture_output=True, text=True, check=False
    )
    document: dict[str, object] | list[dict[str, object]] = json.loads(done.stdout)
    return document[0] if isinstance(document, list) else document


@pytest.mark.skipif(shutil.which("tmux") is None, reason="missing: tmux")
def test_the_verdict_in_the_list_is_the_verdict_of_triage(corner: Docker, tmp_path: Path):
    stages = stages_on(corner)
    image = make_stage_image(corner, make_programs(tmp_path))
    with ThreadPoolExecutor(MAX_CONCURRENT_STAGES) as pool:
        stages = [this for this in pool.map(lambda this: staged(corner, image, this), stages) if this is not None]
    assert len(stages) > 1
    try:
        with Terminal([PYD, "-H", corner.host], (190, 2 * len(stages) + 60)) as terminal:
            terminal.wait_for(corner.name(stages[0].short))
            terminal.keys("!")
            terminal.wait_for("REASON")
            terminal.wait_gone("looking")
            verdicts = {this.short: triage(corner, corner.name(this.short)) for this in stages}
            broken = {short for short, verdict in verdicts.items() if verdict["severity"] == "broken"} - UNSEEN
            screen = terminal.screen
    finally:
        for this in stages:
            if this.lives:
                corner("kill", corner.name(this.short), check=False)
    wrong: list[str] = []
    for short, verdict in verdicts.items():
        name = re.compile(rf" {re.escape(corner.name(short))} ")
        row = next((line for line in screen.splitlines() if ROW.search(line) and name.search(line)), "")
        cause = str(verdict["cause"])
        shown = f"{verdict['reason'] or verdict['summary']}  {cause}"[:MIN_SHOWN_CHARACTERS]
        if short in broken and NUMBER.sub("9", shown) not in NUMBER.sub("9", row):  # a loop's crashes become more
            wrong.append(f"{short}: triage {cause}: {verdict.get('reason')}; the list: {row.strip()}")
        elif short not in broken | UNSEEN and row:
            wrong.append(f"{short}: triage {cause}, not broken; the list: {row.strip()}")
    assert not wrong, "\n".join(wrong)
