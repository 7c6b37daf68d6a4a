"""Debug sessions that are left, come back to, and ended."""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from pyd_core.debug.helper.container import LABEL as HELPER
from support.debugging import sessions_left
from support.docker import LONE, Docker
from support.pyd import Run
from support.shell import STARTING, TIMEOUT_S, DebugShell
from support.staging import wait_until
from support.terminal import Opener

Attach = Callable[[str], DebugShell]


@pytest.fixture(autouse=True)
def sessions_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Sessions of this test alone."""
    monkeypatch.setenv("PYD_SESSIONS", str(tmp_path / "sessions"))
    return tmp_path / "sessions"


@pytest.fixture
def target(docker: Docker, busybox: str, toolbox: Path) -> str:
    return docker.run("kept", busybox, "sleep", "100000", options=LONE)


@pytest.fixture
def kept(run: Run, target: str, sessions_directory: Path) -> Iterator[str]:
    done = run("debug", "--detach", target)
    assert done.returncode == 0, done.stderr
    name = done.stdout.strip()
    yield name
    run("debug", "end", name)


@pytest.fixture
def attach(terminal: Opener, pyd: Path, docker: Docker, tmp_path: Path) -> Attach:
    def open_shell(name: str) -> DebugShell:
        return DebugShell(terminal, pyd, docker.host, tmp_path / "state", "attach", name)

    return open_shell


def listed(run: Run) -> list[dict[str, object]]:
    sessions: list[dict[str, object]] = json.loads(run("debug", "ls", "--json").stdout)
    return sessions


NESTED = "for i in 1 2; do limits | grep -c 'open files'; done | sort | uniq -c | tr -d ' '"
"""Builtins as commands in a loop and in a pipe; prints 21."""


def test_a_session_is_left_and_come_back_to(attach: Attach, run: Run, kept: str):
    (entry,) = listed(run)
    assert (entry["id"], entry["attached"], entry["detachable"]) == (kept, False, True)
    first = attach(kept)
    first.ask(
        "export KEPT=yes; cd /tmp; (while ! test -e /tmp/go; do sleep 0.1; done; limits; echo from afar $?) & echo on",
        "on",
    )
    first.ask(NESTED, "21")
    (entry,) = listed(run)
    assert entry["attached"] is True
    client = first.terminal.pid
    assert Path(f"/proc/{client}/task/{client}/children").read_text() == ""
    refused = run("debug", "attach", kept)
    assert (refused.returncode, "needs a terminal" in refused.stderr) == (2, True)
    first.line("detach")
    assert first.terminal.wait_exit(TIMEOUT_S) == 0
    assert "continues" in first.terminal.screen
    run("debug", str(entry["container"]), "-c", "touch /tmp/go")
    again = attach(kept)
    again.terminal.wait_for("from afar 2")  # no client has answered
    again.ask("echo $KEPT in $PWD", "yes in /tmp")
    again.ask(NESTED, "21")
    again.line("exit 3")
    assert again.terminal.wait_exit(TIMEOUT_S) == 3
    wait_until(lambda: listed(run) == [])
    assert sessions_left() == []


def test_a_session_through_a_helper_container_is_left_and_come_back_to(
    attach: Attach, run: Run, docker: Docker, busybox: str, target: str
):
    stopped = docker.create("kept-stopped", busybox, "true", options=LONE)
    image = f"{docker.name('kept-image')}:1"
    for name, options in ((target, ()), (stopped, ("--save", image))):
        done = run("debug", "--detach", "--tier", "3", *options, name)
        assert done.returncode == 0, done.stderr
        kept = done.stdout.strip()
        shell = attach(kept)
        assert f"{name} (running) root:/#" in shell.ready()
        shell.ask("export KEPT=yes; echo made > /tmp/mark; stty size", "40 110")
        shell.line("detach")
        assert shell.terminal.wait_exit(TIMEOUT_S) == 0
        again = attach(kept)
        again.ask("echo $KEPT", "yes")
        again.ask("true; files /tmp --json | jq -r .[].name", "mark")
        again.line("exit 3")
        assert again.terminal.wait_exit(TIMEOUT_S) == 3
        wait_until(lambda: listed(run) == [])
        wait_until(partial(gone, docker, name))
    try:
        assert docker("run", "--rm", *LONE, image, "cat", "/tmp/mark") == "made"
    finally:
        docker("rmi", "-f", image, check=False)
    begun = run("debug", "--detach", "--tier", "3", target).stdout.strip()
    assert helpers(docker, target) != ""
    assert run("debug", "end", begun).stdout == f"{begun}\n"
    assert helpers(docker, target) == ""


def gone(docker: Docker, target: str) -> bool:
    """Return whether no helper container of a target is left."""
    return helpers(docker, target) == ""


def helpers(docker: Docker, target: str) -> str:
    """Helper containers that look at a target, and stand-ins for it."""
    return docker("ps", "-aq", "--filter", f"label={HELPER}.target={docker.inspect(target)['Id']}")


def test_a_session_whose_terminal_goes_away_is_kept_with_what_runs_in_it(
    attach: Attach, terminal: Opener, pyd: Path, run: Run, kept: str
):
    shell = attach(kept)
    shell.line("sh -c 'echo begun; while ! test -e /tmp/stop; do sleep 0.1; done; echo stopped'")
    shell.terminal.wait_for(re.compile("^begun$", re.MULTILINE))
    second = terminal([pyd, "debug", "attach", kept], (110, 40))
    assert second.wait_exit(STARTING) == 1
    assert "another client is attached" in second.screen
    shell.terminal.close()
    wait_until(lambda: listed(run)[0]["attached"] is False)
    back = terminal([pyd, "debug", "attach", kept], (110, 40))
    back.wait_for("still runs here", STARTING)
    run("debug", str(listed(run)[0]["container"]), "-c", "touch /tmp/stop")
    back.wait_for(re.compile(r"^stopped\n.*root:/#\s*\Z", re.MULTILINE))


def test_sessions_end_when_told_by_their_time_and_with_their_target(
    run: Run, docker: Docker, target: str, sessions_directory: Path
):
    session_id = run("debug", "--detach", target).stdout.strip()
    assert run("debug", "end", target).stdout == f"{session_id}\n"
    assert run("debug", "end", session_id).returncode == 1
    run("debug", "--detach", "--ttl", "200ms", target)
    wait_until(lambda: listed(run) == [])
    run("debug", "--detach", target)
    docker("kill", target)
    wait_until(lambda: listed(run) == [])
    assert sessions_left() == []
    assert list(sessions_directory.iterdir()) == []


def test_whoever_is_attached_is_told_that_the_session_was_ended(attach: Attach, run: Run, kept: str):
    shell = attach(kept)
    shell.ready()
    assert run("debug", "end", kept).returncode == 0
    assert shell.terminal.wait_exit(TIMEOUT_S) == 128 + signal.SIGKILL
    assert f"session {kept} was ended" in shell.terminal.screen


def test_what_a_killed_keeper_leaves_is_swept(run: Run, kept: str, sessions_directory: Path):
    (entry,) = listed(run)
    pid = entry["pid"]
    assert isinstance(pid, int)
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: listed(run) == [])
    assert list(sessions_directory.iterdir()) == []
    wait_until(lambda: sessions_left() == [])


def test_what_cant_be_is_said(run: Run, docker: Docker, busybox: str, target: str, sessions_directory: Path):
    unknown = run("debug", "--detach", "no-such-container")
    assert unknown.returncode == 125
    assert "no-such-container" in unknown.stderr
    assert run("debug", "--detach", target, "-c", "true").returncode == 2
    assert run("debug", "--ttl", "1h", target).returncode == 2
    assert "not a span" in run("debug", "--detach", "--ttl", "soon", target).stderr
    assert "no-such-session" in run("debug", "end", "nothing").stderr
    assert not sessions_directory.exists() or list(sessions_directory.iterdir()) == []
    called = run("debug", f"container:{target}", "-c", "echo reached")
    assert called.stdout == "reached\n"
