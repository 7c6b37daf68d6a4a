"""Verbs about engines: contexts shared with docker, events and use by template, a container started and followed."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from support.docker import LONE, Docker
from support.pyd import Run


def docker_context(config: Path, *arguments: str) -> str:
    environ = {**os.environ, "DOCKER_CONFIG": str(config)}
    environ.pop("DOCKER_HOST", None)
    done = subprocess.run(["docker", "context", *arguments], capture_output=True, text=True, check=True, env=environ)
    return done.stdout.strip()


def test_contexts_made_by_either_are_known_to_both(run: Run, tmp_path: Path):
    for part in ("ca", "cert", "key"):
        (tmp_path / f"{part}.pem").write_text(part)
    files = ",".join(f"{part}={tmp_path}/{part}.pem" for part in ("ca", "cert", "key"))
    config: dict[str, Any] = {"DOCKER_CONFIG": str(tmp_path / "config"), "DOCKER_HOST": ""}
    container = run(
        "context", "create", "far", "--docker", f"host=tcp://far:2376,{files}", "--description", "away", **config
    )
    assert (container.returncode, container.stdout) == (0, "far\n"), container.stderr
    known = json.loads(docker_context(tmp_path / "config", "inspect", "far"))[0]
    assert known["Endpoints"]["docker"] == {"Host": "tcp://far:2376", "SkipTLSVerify": False}
    assert known["Metadata"] == {"Description": "away"}
    assert set(known["TLSMaterial"]["docker"]) == {"ca.pem", "cert.pem", "key.pem"}
    docker_context(tmp_path / "config", "create", "near", "--docker", "host=unix:///near.sock")
    assert json.loads(run("context", "inspect", "near", **config).stdout)[0]["url"] == "unix:///near.sock"
    run("context", "use", "near", **config)
    assert run("context", "show", **config).stdout == docker_context(tmp_path / "config", "show") + "\n" == "near\n"
    again = run("context", "create", "far", "--docker", "host=tcp://x", **config)
    assert (again.returncode, "already" in again.stderr) == (1, True)
    assert run("context", "rm", "near", **config).returncode == 1  # it is the current one
    gone = run("context", "rm", "-f", "near", "far", **config)
    assert gone.stdout == "near\nfar\n"
    assert docker_context(tmp_path / "config", "ls", "-q") == "default"
    assert list((tmp_path / "config/contexts").rglob("*.pem")) == []


@pytest.mark.parametrize("name", ["default", "", "a/b", "../x", ".x", "\x1b[31m"])
def test_names_that_no_context_can_have_are_refused(run: Run, tmp_path: Path, name: str):
    config: dict[str, Any] = {"DOCKER_CONFIG": str(tmp_path)}
    done = run("context", "create", "--docker", "host=tcp://x", "--", name, **config)
    assert (done.returncode, "not a name" in done.stderr) == (2, True)
    assert "\x1b" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_an_end_of_the_past_prints_by_template(run: Run, docker: Docker, busybox: str):
    """An engine remembers 256 events, of all that run here: so it is asked once."""
    name = docker.run("reported", busybox, "sh", "-c", "exit 3", options=LONE)
    docker("wait", name)
    form = (
        "{{.Type}} {{.Action}} {{.Actor.Attributes.name}} {{.Actor.Attributes.exitCode}}|"
        "{{.ID}} {{.Status}} {{.From}} {{.Scope}}|{{json .Actor.ID}}|{{.Time}} {{.TimeNano}}"
    )
    of = ("-f", f"container={name}", "-f", "event=die")
    fields = run("events", "--since", "10m", "--until", "0s", *of, "--format", form).stdout.strip().split("|")
    key = docker.inspect(name)["Id"]
    assert fields[:3] == [f"container die {name} 3", f"{key} die {busybox} local", f'"{key}"']
    seconds, nanoseconds = map(int, fields[3].split())
    assert nanoseconds // 10**9 == seconds


def test_use_prints_by_template(run: Run, docker: Docker, busybox: str):
    name = docker.run("used", busybox, "sleep", "600", options=(*LONE, "-m", "64m"))
    done = run("stats", "--no-stream", "--format", "{{.Name}}|{{.CPUPerc}}|{{.MemUsage}}|{{.PIDs}}", name)
    fields = done.stdout.strip().split("|")
    assert (fields[0], fields[1][-1], fields[2].endswith("/ 64 MiB"), fields[3]) == (name, "%", True, "1"), done.stderr
    head = run("stats", "--no-stream", "--format", "table {{.Name}}\\t{{.MemPerc}}", name).stdout.splitlines()
    assert head[0].split() == ["NAME", "MEM", "%"]


def test_a_container_is_started_again_and_followed_to_its_end(run: Run, docker: Docker, busybox: str):
    script = "read line; echo got $line; echo oops >&2; exit 4"
    name = docker.create("job", busybox, "sh", "-c", script, options=(*LONE, "-i"))
    done = run("start", "-a", "-i", name, stdin=b"this\n")
    assert (done.returncode, done.stdout, done.stderr) == (4, "got this\n", "oops\n")
    lasting = docker.run("lasting", busybox, "sleep", "600", options=LONE)
    refused = run("start", "-a", lasting)
    assert (refused.returncode, "is already running" in refused.stderr) == (125, True)
    assert "only one" in run("start", "-a", name, lasting).stderr
    missing = docker.create("nothing", busybox, "nosuchprogram", options=LONE)
    assert run("start", "-a", missing).returncode == 127
