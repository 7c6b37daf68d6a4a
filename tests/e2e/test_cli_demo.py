"""The playground comes up, shows what it promises, and goes again; so does an image that is built."""

from __future__ import annotations

import json
import time
from pathlib import Path

from support.docker import LABEL, Docker
from support.pyd import Run

TIMEOUT_S = 120.0


def test_the_playground_comes_up_and_goes_and_nothing_else_does(run: Run, docker: Docker, distroless: str):
    other = docker.run("other", distroless, options=("--network", "none"))
    done = run("demo", "--json")
    try:
        assert done.returncode == 0, done.stderr
        assert len(json.loads(done.stdout)["containers"]) == 5
        assert run("demo").stderr.startswith("pyd: the playground is there already")
        deadline = time.monotonic() + TIMEOUT_S
        while docker.inspect("pyd-demo-hungry")["State"]["Running"] or (
            docker.inspect("pyd-demo-sick")["State"]["Health"]["Status"] != "unhealthy"
        ):
            assert time.monotonic() < deadline
            time.sleep(0.2)
        assert docker.inspect("pyd-demo-hungry")["State"]["ExitCode"] == 137
        assert "INFO" in run("logs", "pyd-demo-chatty").stdout
    finally:
        down = run("demo", "down")
    assert "pyd-demo-web" in down.stdout
    assert docker("ps", "-aq", "-f", "label=pyd.demo") == ""
    assert docker("images", "-q", "-f", "label=pyd.demo") == ""
    assert docker("network", "ls", "-q", "-f", "label=pyd.demo") == ""
    assert docker.inspect(other)["State"]["Running"]
    assert run("demo", "down").stdout == "no demo containers found\n"


def test_a_build_sends_what_is_not_left_out_and_gives_the_image(run: Run, docker: Docker, busybox: str, tmp_path: Path):
    (tmp_path / "kept/deep").mkdir(parents=True)
    (tmp_path / "left").mkdir()
    for name in ("kept/deep/yes", "kept/no.log", "left/out", "left/back"):
        (tmp_path / name).write_text(name)
    (tmp_path / ".dockerignore").write_text("# comment\n**/*.log\nleft/*\n!left/back\n")
    stages = f"FROM {busybox} AS base\nARG V\nENV V=$V\nCOPY . /src\nFROM base\nCMD echo $V; cd /src; find . -type f\n"
    (tmp_path / "Dockerfile").write_text(stages)
    image = f"{docker.name('built')}:1"
    label = ("--label", f"{LABEL}={docker.prefix}")
    done = run("build", "-t", image, "--build-arg", "V=seven", *label, str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "exporting to image" in done.stderr
    output = run("run", "--rm", "--network", "none", *label, image).stdout.split()
    assert sorted(output) == ["./.dockerignore", "./Dockerfile", "./kept/deep/yes", "./left/back", "seven"]
    alone = run("build", "-q", *label, "-", stdin=f"FROM {busybox}\n".encode())
    assert alone.returncode == 0, alone.stderr
    failed = run("build", *label, "-", stdin=f"FROM {busybox}\nRUN exit 3\n".encode())
    assert failed.returncode == 1
    assert run("build", str(tmp_path / "nowhere")).returncode == 1
    assert run("rmi", image).returncode == 0
