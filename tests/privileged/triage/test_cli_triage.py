"""`pyd triage`, `history` and `record` as a user runs them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from support.docker import Docker
from support.staging import wait_until

SMALL = ("--network", "none", "-m", "20m", "--memory-swap", "20m")


def pyd(*words: str, stdin: str | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pyd_tui", *words],
        input=stdin,
        stdin=subprocess.DEVNULL if stdin is None else None,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "DOCKER_HOST": "unix:///var/run/docker.sock", **environment},
    )


def document(*words: str, **environment: str) -> Any:
    done = pyd(*words, "--json", **environment)
    assert done.stderr == ""
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def killed(docker: Docker, stage_image: str) -> str:
    name = docker.run("cli-oom", stage_image, "/hog", options=SMALL)
    docker("wait", name)
    return name


def test_the_verdict_in_words(killed: str) -> None:
    done = pyd("triage", killed)
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stdout
    first, *rest = done.stdout.splitlines()
    assert first.startswith(f"{killed} ran out of memory (limit ")
    text = "\n".join(rest)
    for part in (
        "cause: oom-killed",
        "timeline:",
        "evidence:",
        "[kernel log]",
        "what to do:",
        "pyd update --memory 40m",
    ):
        assert part in text


def test_the_verdict_as_json(killed: str) -> None:
    result = document("triage", killed)
    promised = {"name", "cause", "confidence", "summary", "contributing", "evidence", "advice", "unread"}
    assert promised <= set(result)
    assert result["cause"] == "oom-killed"
    assert {"source", "time", "text"} == set(result["evidence"][0])
    assert [entry["cause"] for entry in document("triage", killed, killed)] == ["oom-killed"] * 2


def test_an_id_and_its_beginning_do(docker: Docker, killed: str) -> None:
    identity = docker.inspect(killed)["Id"]
    assert document("triage", identity[:16])["name"] == killed


def test_an_unknown_name_is_told_with_the_nearest(killed: str) -> None:
    done = pyd("triage", killed[:-1] + "n")
    assert done.returncode == 1
    assert killed in done.stderr
    assert "Traceback" not in done.stderr


def test_a_sweep_finds_what_is_broken_and_says_so_to_scripts(killed: str) -> None:
    done = pyd("triage")
    assert done.returncode == 1
    assert done.stdout.startswith("broken:")
    assert f"oom-killed: {killed}" in done.stdout
    result = document("triage")
    assert result["broken"] is True
    kinds = {(concern["kind"], concern["level"]) for concern in result["concerns"] if killed in concern["subjects"]}
    assert ("oom-killed", "broken") in kinds


def test_a_sweep_names_habits_of_what_runs(docker: Docker, stage_image: str) -> None:
    name = docker.run("cli-habits", stage_image, "/sleeper", options=("-p", "0.0.0.0::80"))
    concerns = document("triage")["concerns"]
    docker("rm", "-f", name)
    kinds = {concern["kind"] for concern in concerns if name in concern["subjects"]}
    assert {"no-memory-limit", "runs-as-root", "published-everywhere"} <= kinds


@pytest.mark.parametrize(
    ("topic", "word"), [("139", "segmentation"), ("SIGTERM", "143"), ("oom-child", "main process")]
)
def test_codes_and_causes_are_explained_without_an_engine(topic: str, word: str) -> None:
    done = pyd("triage", "--explain", topic, DOCKER_HOST="unix:///nowhere.sock")
    assert done.returncode == 0, done.stderr
    assert word in done.stdout


def test_a_code_nobody_knows_is_a_usage_error_with_a_hint() -> None:
    done = pyd("triage", "--explain", "oom-kiled", DOCKER_HOST="unix:///nowhere.sock")
    assert done.returncode == 2
    assert "oom-killed" in done.stderr


def test_a_message_is_explained_from_a_pipe_also_without_an_engine() -> None:
    done = pyd("triage", "--error", stdin="toomanyrequests: You have reached your pull rate limit.\n")
    assert "cause: pull-rate-limited" in done.stdout
    refused = "permission denied while trying to connect to the Docker daemon socket"
    done = pyd("triage", "--error", refused, "--json", DOCKER_HOST="unix:///nowhere.sock")
    assert json.loads(done.stdout)["cause"] == "engine-permission"


def test_no_engine_is_one_line_and_what_to_do(killed: str) -> None:
    done = pyd("triage", killed, DOCKER_HOST="unix:///nowhere.sock")
    assert done.returncode == 125
    assert done.stderr.count("\n") <= 2
    assert "hint:" in done.stderr


def test_one_that_is_gone_is_told_from_the_history(docker: Docker, stage_image: str, tmp_path: Path) -> None:
    history = tmp_path / "history.db"
    hook_out = tmp_path / "hook.json"
    hook = f"{sys.executable} -c 'import sys; open(sys.argv[1], \"a\").write(sys.stdin.read())' {hook_out}"
    environment = {**os.environ, "DOCKER_HOST": "unix:///var/run/docker.sock", "PYD_HISTORY": str(history)}
    recorder = subprocess.Popen(
        [sys.executable, "-m", "pyd_tui", "record", "--json", "--on-death", hook],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )
    name = docker.name("cli-gone")
    try:
        wait_until(history.exists)
        # Only a record shows that it listens: containers are let die until one is recorded.
        assert recorder.stdout is not None

        def is_recorded() -> bool:
            mark = ("--label", f"pyd.test={docker.prefix}")
            docker("run", "--rm", "--name", name, *mark, *SMALL, stage_image, "/hog", check=False)
            return hook_out.exists() and name in hook_out.read_text()

        wait_until(is_recorded)
    finally:
        recorder.send_signal(signal.SIGTERM)
        out, _ = recorder.communicate(timeout=120)
    assert recorder.returncode == 0
    assert any(json.loads(line)["name"] == name for line in out.splitlines())
    assert document("triage", name, PYD_HISTORY=str(history))["cause"] == "oom-killed"
    shown = pyd("history", name, "--lines", PYD_HISTORY=str(history))
    assert shown.returncode == 0, shown.stderr
    assert "oom-killed" in shown.stdout
    assert document("history", name, PYD_HISTORY=str(history))[0]["verdict"]["cause"] == "oom-killed"


def test_waiting_tells_codes_and_reasons(docker: Docker, stage_image: str) -> None:
    script = "sleep 0.5; echo 'sh: TOKEN: parameter not set' >&2; exit 2"
    first = docker.run("wait-error", stage_image, "sh", "-c", script, options=("--network", "none"))
    second = docker.run("wait-clean", stage_image, "sh", "-c", "sleep 0.5", options=("--network", "none"))
    assert pyd("wait", first, second).stdout.split() == ["2", "0"]
    reported = pyd("wait", "--explain", first)
    assert reported.stdout.startswith(f"2  {first}  missing-env: ")
    result = document("wait", "--explain", first, second)
    assert [(entry["code"], entry["verdict"]["cause"]) for entry in result] == [(2, "missing-env"), (0, "clean-exit")]


def test_no_history_says_how_to_record_one(tmp_path: Path) -> None:
    done = pyd("history", PYD_HISTORY=str(tmp_path / "none.db"))
    assert done.returncode == 1
    assert "pyd record" in done.stderr


def test_a_damaged_history_is_moved_aside_and_said(tmp_path: Path) -> None:
    history = tmp_path / "history.db"
    history.write_bytes(b"nonsense" * 4096)
    done = pyd("record", DOCKER_HOST="unix:///nowhere.sock", PYD_HISTORY=str(history))
    assert "damaged" in done.stderr
    assert done.returncode == 125
    assert list(tmp_path.glob("history.db.damaged-*"))


def test_a_unit_to_install_names_this_command() -> None:
    done = pyd("record", "--print-unit")
    assert "[Service]" in done.stdout
    assert "ExecStart=/" in done.stdout
