"""Deaths and faults staged on a real engine: each verdict names the one right cause."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from pyd_core.triage.verdict import Verdict
from support.docker import Docker
from support.staging import (
    KILL,
    SECCOMP,
    TERM,
    Stage,
    engine,
    health,
    host_kill,
    restarted,
    said,
    said_then,
    seen,
    shell,
)

NONE = ("--network", "none")
SMALL = (*NONE, "-m", "20m", "--memory-swap", "20m")
ALWAYS = (*NONE, "--restart", "always")
PROBE = (*NONE, "--health-interval", "200ms", "--health-retries", "2", "--health-timeout", "5s")


def loud(line: str, code: int = 1) -> tuple[str, ...]:
    """A program that prints its trouble and gives up."""
    return ("sh", "-c", f'echo "$0" >&2; exit {code}', line)


STAGES = (
    # How it ended.
    Stage("exit-0", "clean-exit", ("true",)),
    Stage("exit-0-child-oom", "clean-exit", shell("/hog; exit 0"), SMALL, also=frozenset({"oom-child"})),
    Stage("exit-3", "app-error", loud("the widget is bent", 3)),
    Stage("talks-of-oom", "app-error", loud("Out of memory: Killed process 1 (app) OOMKilled", 1)),
    Stage("bad-option", "usage-error", ("ls", "--nope")),
    Stage("stop", "stopped", ("/sleeper",), act=engine("stop")),
    Stage("stop-143", "stopped", ("sleep", "60"), (*NONE, "--init"), act=engine("stop")),
    Stage("stop-timeout", "stop-timeout", ("sleep", "60"), act=engine("stop", "-t", "1")),
    Stage("kill", "killed-by-user", ("sleep", "60"), act=engine("kill")),
    Stage("kill-term", "killed-by-user", ("sleep", "60"), (*NONE, "--init"), act=engine("kill", "-s", "TERM")),
    Stage("kill-9-outside", "killed-externally", ("sleep", "60"), act=host_kill(KILL)),
    Stage("kill-9-outside-limited", "killed-externally", ("sleep", "60"), SMALL, act=host_kill(KILL)),
    Stage("term-outside", "killed-externally", ("sleep", "60"), (*NONE, "--init"), act=host_kill(TERM)),
    Stage("segfault", "segfault", ("/segfault",)),
    Stage("segfault-under-shell", "segfault", shell("/segfault; exit $?")),
    Stage("abort", "abort", ("/abort",), (*NONE, "--init")),
    Stage("abort-as-pid-1", "abort", ("/abort",)),
    Stage("bus", "bus-error", ("/bus",)),
    Stage("divide", "arithmetic-fault", ("/divide",)),
    Stage("illegal", "illegal-instruction", ("/illegal",)),
    Stage("chown-without-cap", "operation-not-permitted", ("chown", "1", "/tmp"), (*NONE, "--cap-drop", "ALL")),
    # Could not start.
    Stage("no-command", "command-not-found", ("nope",)),
    Stage("no-path", "command-not-found", ("/opt/nope",)),
    Stage("no-command-in-shell", "command-not-found", shell("frobnicate --now")),
    Stage("no-execute-bit", "not-executable", ("/plain.txt",)),
    Stage("a-directory", "not-executable", ("/adir",)),
    Stage("no-shebang", "not-executable", ("/nothing.txt",)),
    Stage("no-execute-bit-in-shell", "not-executable", shell("/plain.txt")),
    Stage("no-perl", "interpreter-missing", ("/perl.sh",)),
    Stage("no-python-for-env", "command-not-found", ("/env.py",)),
    Stage("crlf", "crlf-script", ("/crlf.sh",)),
    Stage("foreign", "wrong-architecture", ("/foreign",)),
    Stage("no-loader", "loader-missing", ("/nocc",)),
    Stage("nobody", "unknown-user", ("true",), (*NONE, "--user", "nobody7")),
    Stage("no-device", "device-missing", ("true",), (*NONE, "--device", "/dev/pyd-nope")),
    Stage("file-on-directory", "mount-type-mismatch", ("true",), (*NONE, "-v", "/etc/hostname:/adir")),
    # Memory.
    Stage("oom-first", "oom-killed", ("/hog",), SMALL),
    Stage("oom-child-lives", "oom-child", shell("/hog; echo lives; sleep 60"), SMALL, said("lives"), lives=True),
    Stage(
        "oom-child-then-stop",
        "stopped",
        shell("/hog; echo lives; sleep 60"),
        (*SMALL, "--init"),
        said_then("lives", engine("stop")),
        also=frozenset({"oom-child"}),
    ),
    Stage("oom-child-code-passed-on", "oom-child", shell("/hog; exit $?"), SMALL),
    Stage("oom-child-then-error", "oom-child", shell("/hog; exit 1"), SMALL),
    Stage("java-heap", "app-heap-exhausted", loud("java.lang.OutOfMemoryError: Java heap space", 3), SMALL),
    Stage("ulimit-memory", "memory-rlimit", ("/allocate",), (*NONE, "--ulimit", "data=300000000")),
    Stage(
        "nearly-full", "memory-near-limit", shell("/hog 18 & sleep 1; echo full; wait"), SMALL, said("full"), lives=True
    ),
    # What the program ran into.
    Stage("port-taken", "address-in-use", shell("nc -l -p 80 & sleep 0.3; nc -l -p 80")),
    Stage("not-mine", "permission-denied", ("cat", "/root-only"), (*NONE, "--user", "1000")),
    Stage("read-only", "read-only-fs", ("touch", "/new"), (*NONE, "--read-only")),
    Stage("tmpfs-full", "no-space", ("dd", "if=/dev/zero", "of=/s/x"), (*NONE, "--tmpfs", "/s:size=64k")),
    Stage(
        "fork-limit",
        "pids-limit",
        shell("for i in 1 2 3 4 5 6; do sleep 60 & done; wait"),
        (*NONE, "--pids-limit", "4"),
    ),
    Stage("file-limit", "fd-limit", ("/files",), (*NONE, "--ulimit", "nofile=20:20")),
    Stage("no-dns", "dns-failure", ("wget", "-T", "2", "http://db.invalid/")),
    Stage("refused", "connection-refused", ("wget", "http://127.0.0.1:1/")),
    Stage("bad-password", "authentication-failed", loud('FATAL: password authentication failed for user "app"')),
    Stage("no-variable", "missing-env", shell(": ${DATABASE_URL:?}")),
    Stage("no-file", "missing-file", ("cat", "/etc/app.conf")),
    Stage("no-secret", "missing-secret", ("cat", "/run/secrets/db")),
    Stage("clock", "clock-skew", loud("x509: certificate has expired or is not yet valid")),
    # State.
    Stage("runs", "running-ok", ("/sleeper",), lives=True),
    Stage("pause", "paused", ("/sleeper",), act=lambda corner, name: corner("pause", name) and None, lives=True),
    Stage("loop", "restart-loop", loud("the widget is bent", 3), ALWAYS, restarted(3), lives=True),
    Stage("loop-of-success", "restart-loop", ("true",), ALWAYS, restarted(3), lives=True),
    Stage(
        "loop-with-cause",
        "missing-env",
        shell(": ${DATABASE_URL:?}"),
        ALWAYS,
        restarted(3),
        lives=True,
        also=frozenset({"restart-loop"}),
    ),
    Stage(
        "probe-fails", "unhealthy", ("/sleeper",), (*PROBE, "--health-cmd", "false"), health("unhealthy"), lives=True
    ),
    Stage(
        "probe-refused",
        "connection-refused",
        ("/sleeper",),
        (*PROBE, "--health-cmd", "wget -q -O- http://127.0.0.1:1/"),
        health("unhealthy"),
        lives=True,
        also=frozenset({"unhealthy"}),
    ),
    Stage(
        "probe-missing",
        "healthcheck-broken",
        ("/sleeper",),
        (*PROBE, "--health-cmd", "curl -f http://localhost/"),
        health("unhealthy"),
        lives=True,
    ),
    Stage(
        "throttled",
        "cpu-throttled",
        shell("while :; do :; done"),
        (*NONE, "--cpus", "0.05"),
        seen("cpu/cpu.stat", "nr_throttled", 21),
        lives=True,
    ),
)


def check(verdict: Verdict, cause: str, also: frozenset[str] = frozenset()) -> None:
    shown = f"{verdict.cause} ({verdict.confidence}): {verdict.summary}; contributing {verdict.contributing}"
    assert verdict.cause == cause, shown
    assert also <= set(verdict.contributing), shown
    assert verdict.evidence, shown
    assert verdict.confidence >= 0.5, shown


def stage(corner: Docker, image: str, this: Stage) -> str:
    name = corner.name(this.short)
    mark = ("--label", f"pyd.test={corner.prefix}")
    corner("run", "-d", "--name", name, *mark, *this.options, image, *this.command, check=False)
    if this.act is not None:
        this.act(corner, name)
    elif not this.lives:
        corner("wait", name)
    return name


@pytest.mark.parametrize("this", STAGES, ids=lambda this: this.short)
def test_names_the_cause(docker: Docker, stage_image: str, judge: Callable[[str], Verdict], this: Stage) -> None:
    name = stage(docker, stage_image, this)
    try:
        check(judge(name), this.cause, this.also)
    finally:
        docker("rm", "-f", "-v", name, check=False)


def mark(corner: Docker) -> tuple[str, str]:
    return ("--label", f"pyd.test={corner.prefix}")


def test_a_filter_that_kills(docker: Docker, stage_image: str, judge: Callable[[str], Verdict], tmp_path: Path) -> None:
    profile = tmp_path / "profile.json"
    profile.write_text(SECCOMP)
    this = Stage("seccomp", "seccomp-kill", ("mkdir", "/tmp/new"), (*NONE, "--security-opt", f"seccomp={profile}"))
    check(judge(stage(docker, stage_image, this)), "seccomp-kill")


def test_a_library_that_is_not_there(docker: Docker, dynamic_image: str, judge: Callable[[str], Verdict]) -> None:
    verdict = judge(stage(docker, dynamic_image, Stage("library", "shared-library-missing")))
    check(verdict, "shared-library-missing")
    assert verdict.confidence > 0.9, "the image's own facts confirm what the loader printed"


def test_a_working_directory_that_cannot_be_made(
    docker: Docker, stage_image: str, judge: Callable[[str], Verdict], tmp_path: Path
) -> None:
    this = Stage("workdir", "bad-workdir", ("true",), (*NONE, "-v", f"{tmp_path}:/ro:ro", "--workdir", "/ro/sub"))
    check(judge(stage(docker, stage_image, this)), "bad-workdir")


def test_a_port_held_by_a_program_of_the_host(
    docker: Docker, stage_image: str, judge: Callable[[str], Verdict]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        this = Stage("port-host", "port-conflict", ("true",), ("-p", f"127.0.0.1:{port}:80"))
        verdict = judge(stage(docker, stage_image, this))
    check(verdict, "port-conflict")
    assert str(port) in verdict.summary


def test_a_port_held_by_another_container(docker: Docker, stage_image: str, judge: Callable[[str], Verdict]) -> None:
    holder = docker.run("holder", stage_image, "/sleeper", options=("-p", "127.0.0.1::80"))
    port = docker("port", holder, "80").rpartition(":")[2]
    this = Stage("port-container", "port-conflict", ("true",), ("-p", f"127.0.0.1:{port}:80"))
    verdict = judge(stage(docker, stage_image, this))
    docker("rm", "-f", holder)
    check(verdict, "port-conflict")


def test_a_mount_whose_source_went_away(
    docker: Docker, stage_image: str, judge: Callable[[str], Verdict], tmp_path: Path
) -> None:
    source = tmp_path / "gone"
    source.mkdir()
    name = docker.create("mount", stage_image, "true", options=(*NONE, "--mount", f"type=bind,src={source},dst=/data"))
    source.rmdir()
    docker("start", name, check=False)
    check(judge(name), "mount-source-missing")


def test_a_network_that_went_away(docker: Docker, stage_image: str, judge: Callable[[str], Verdict]) -> None:
    network = docker.name("gone")
    docker("network", "create", *mark(docker), network)
    name = docker.create("network", stage_image, "true", options=("--network", network))
    docker("network", "rm", network)
    docker("start", name, check=False)
    check(judge(name), "network-missing")


def test_one_that_was_never_started(docker: Docker, stage_image: str, judge: Callable[[str], Verdict]) -> None:
    check(judge(docker.create("created", stage_image, "true")), "never-started")


def test_a_volume_of_somebody_else(docker: Docker, stage_image: str, judge: Callable[[str], Verdict]) -> None:
    volume = docker.name("volume")
    docker("volume", "create", *mark(docker), volume)
    options = (*NONE, "--user", "1000", "-v", f"{volume}:/store")
    this = Stage("volume", "volume-permission", ("touch", "/store/x"), options)
    verdict = judge(stage(docker, stage_image, this))
    check(verdict, "volume-permission")
    assert "uid 0" in verdict.summary


def test_a_name_on_another_network(docker: Docker, stage_image: str, judge: Callable[[str], Verdict]) -> None:
    here, there = docker.name("here"), docker.name("there")
    for network in (here, there):
        docker("network", "create", *mark(docker), network)
    peer = docker.run("db", stage_image, "/sleeper", options=("--network", there))
    this = Stage("apart", "not-same-network", ("wget", "-T", "2", f"http://{peer}/"), ("--network", here))
    verdict = judge(stage(docker, stage_image, this))
    docker("rm", "-f", peer, docker.name("apart"))
    docker("network", "rm", here, there)
    check(verdict, "not-same-network")
    assert any("network connect" in text for text in verdict.advice)
