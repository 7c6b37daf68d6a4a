"""Confinement of a container's system calls: it holds for a session as its user, not for a debugger's."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from support.debugging import Run, command, main_pid
from support.docker import LONE, Docker

CONFINED = "grep -E '^(NoNewPrivs|Seccomp|Seccomp_filters|CapEff|CapBnd):' /proc/self/status"


def profile(directory: Path, *, forbidden: str) -> str:
    """A profile that allows everything but one call, whose error number is one that no kernel would give for it."""
    rule = {"names": [forbidden], "action": "SCMP_ACT_ERRNO", "errnoRet": 61}  # ENODATA
    path = directory / f"{forbidden}.json"
    path.write_text(json.dumps({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [rule]}))
    return f"seccomp={path}"


def confined(status: str) -> dict[str, str]:
    return dict(line.split(":\t") for line in status.splitlines() if ":\t" in line)


@pytest.fixture(scope="module")
def usual(docker: Docker, busybox: str) -> str:
    """A container that the engine gave what it gives all."""
    return docker.run("confined", busybox, "sleep", "1000", options=LONE)


def test_as_the_target_is_refused_what_the_target_is_and_root_what_gets_out(docker: Docker, usual: str, debug: Run):
    own = Path(f"/proc/{main_pid(docker, usual)}/status").read_text()
    assert confined(own)["Seccomp"] == "2", "this engine gives its containers no filter"
    line = f"{CONFINED}; unshare -U true; echo $?"
    assert docker("exec", usual, "sh", "-c", "unshare -U true; echo $?") == "1"
    target = debug("--as", "target", usual, "-c", line)
    *_, code = target.stdout.split()
    assert (code, "Operation not permitted" in target.stderr) == ("1", True), target.stdout
    assert confined(target.stdout).items() <= confined(own).items()
    root = debug(usual, "-c", line)
    assert (confined(root.stdout)["Seccomp"], root.stdout.split()[-1]) == ("2", "1"), root.stderr
    traced = debug(usual, "-c", "strace true 2>&1 | grep -c execve")  # which the engine's filter would refuse
    assert traced.stdout == "1\n"


@pytest.mark.parametrize("bound", [False, True], ids=["may gain rights", "no-new-privileges"])
def test_a_profile_of_the_users_own_holds_for_the_target_and_its_users(
    docker: Docker, busybox: str, debug: Run, tmp_path: Path, bound: bool
):
    options = ["--security-opt", profile(tmp_path, forbidden="mkdir"), *LONE]
    options += ["--security-opt", "no-new-privileges", "--cap-drop", "ALL"] if bound else []
    name = docker.run(f"profile-{int(bound)}", busybox, "sleep", "1000", options=tuple(options))
    own = confined(Path(f"/proc/{main_pid(docker, name)}/status").read_text())
    for identity in ("target", "1000:1000"):
        done = debug("--as", identity, name, "-c", f"{CONFINED}; mkdir /tmp/new; id -u")
        assert "No data available" in done.stderr, done.stderr
        status = confined(done.stdout)
        assert (status["Seccomp"], status["NoNewPrivs"]) == ("2", str(int(bound)))
        if identity == "target":
            assert status.items() <= own.items()
    assert debug(name, "-c", "mkdir /new").returncode == 0
    after = Path(f"/proc/{main_pid(docker, name)}/status").read_text()
    assert (confined(after)["TracerPid"], "S (sleeping)" in after) == ("0", True)


def test_a_command_that_the_filter_kills_is_told(docker: Docker, busybox: str, debug: Run, tmp_path: Path):
    rule = {"names": ["mkdir"], "action": "SCMP_ACT_KILL_PROCESS"}
    (tmp_path / "kill.json").write_text(json.dumps({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [rule]}))
    options = ("--security-opt", f"seccomp={tmp_path / 'kill.json'}", *LONE)
    name = docker.run("killing", busybox, "sleep", "1000", options=options)
    done = debug("--as", "target", name, "--", "mkdir", "/tmp/new")
    assert done.returncode == 159
    assert "a seccomp filter ended the command" in done.stderr


def test_without_a_filter_there_is_none_to_take_over(docker: Docker, busybox: str, debug: Run):
    options = ("--security-opt", "seccomp=unconfined", *LONE)
    name = docker.run("unfiltered", busybox, "sleep", "1000", options=options)
    done = debug("--explain", "--as", "target", name, "-c", CONFINED)
    assert confined(done.stdout)["Seccomp"] == "0"
    assert "seccomp" not in done.stderr


def test_what_is_taken_over_is_told(usual: str, debug: Run):
    assert "\npyd: not taken over: its seccomp filter" in debug("--explain", usual, "-c", "true").stderr
    notices = debug("--explain", "--as", "target", usual, "-c", "true").stderr
    assert "\npyd: taken over: its seccomp filter" in notices
    assert "not taken over" not in notices


def test_a_filter_that_cannot_be_read_is_told_and_the_session_is(docker: Docker, usual: str, debug: Run):
    with subprocess.Popen(
        command(usual, "-c", "exec strace -p 1"), stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as tracer:
        assert tracer.stderr is not None
        try:
            assert "attached" in tracer.stderr.readline()
            traced = debug("--as", "target", usual, "-c", "echo there")
        finally:
            tracer.terminate()
            tracer.communicate(timeout=60)
    assert traced.stdout == "there\n"
    assert "not taken over: its seccomp filter: another program traces" in traced.stderr
    docker("pause", usual)
    try:
        paused = debug("--as", "target", usual, "-c", "echo there")
    finally:
        docker("unpause", usual)
    assert paused.stdout == "there\n"
    assert paused.stderr == "" or "seccomp filter: it is paused" in paused.stderr  # cgroup version 2 lets it be traced
    assert confined(Path(f"/proc/{main_pid(docker, usual)}/status").read_text())["TracerPid"] == "0"
