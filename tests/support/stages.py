"""The table of staged deaths, and how one is staged and judged."""

from __future__ import annotations

import os
import struct
import subprocess
from pathlib import Path

from pyd_core.triage.verdict import Verdict
from support.docker import Docker
from support.staging import (
    KILL,
    TERM,
    Stage,
    engine,
    health,
    host_kill,
    logged,
    restarted,
    said_then,
    seen,
    shell,
)

NONE = ("--network", "none")
SMALL = (*NONE, "-m", "20m", "--memory-swap", "20m")
ALWAYS = (*NONE, "--restart", "always")
PROBE = (*NONE, "--health-interval", "200ms", "--health-retries", "2", "--health-timeout", "5s")


WAIT_LOOP = "echo ready; while :; do sleep 0.1; done"
"""Prints once signals are handled: PID 1 ignores signals without a handler."""


def loud(line: str, code: int = 1) -> tuple[str, ...]:
    """Return a program that prints an error and exits."""
    return ("sh", "-c", f'echo "$0" >&2; exit {code}', line)


STAGES = (
    # How it ended.
    Stage("exit-0", "clean-exit", ("true",)),
    Stage("exit-0-child-oom", "oom-child", shell("/hog; exit 0"), SMALL, says="exited later with code 0"),
    Stage("exit-3", "app-error", loud("the widget is bent", 3)),
    Stage(
        "routine-last-words",
        "app-error",
        shell("echo started; echo 'ERROR the widget is bent' >&2; echo 'INFO Killed 3 idle sessions' >&2; exit 3"),
        says="stderr: ERROR the widget is bent",
    ),
    Stage(
        "routine-error-words",
        "app-error",
        shell("echo 'INFO no such file: /etc/optional, continuing'; echo 'the widget is bent' >&2; exit 3"),
        says="stderr: the widget is bent",
    ),
    Stage(
        "overtaken-error",
        "app-error",
        shell("echo 'the widget is bent' >&2; seq 1 3000; exit 3"),
        says="stderr: the widget is bent",
    ),
    Stage("talks-of-oom", "app-error", loud("Out of memory: Killed process 1 (app) OOMKilled", 1)),
    Stage("bad-option", "usage-error", ("ls", "--nope")),
    Stage("stop", "stopped", shell(f"trap 'exit 0' TERM; {WAIT_LOOP}"), act=said_then("ready", engine("stop"))),
    Stage("stop-143", "stopped", shell(WAIT_LOOP), (*NONE, "--init"), act=said_then("ready", engine("stop"))),
    Stage("stop-with-kill", "stopped", ("sleep", "60"), (*NONE, "--stop-signal", "KILL"), act=engine("stop")),
    # A signal that comes before the program is there is the runtime's own, which ends by it.
    Stage(
        "stop-timeout",
        "stop-timeout",
        shell("echo ready; exec sleep 60"),
        act=said_then("ready", engine("stop", "-t", "1")),
    ),
    Stage("kill", "killed-by-user", ("sleep", "60"), act=engine("kill")),
    Stage(
        "kill-term",
        "killed-by-user",
        shell(WAIT_LOOP),
        (*NONE, "--init"),
        act=said_then("ready", engine("kill", "-s", "TERM")),
    ),
    Stage(
        "reloaded-then-failed",
        "missing-file",
        shell("trap 'n=1' HUP; echo ready; while [ -z \"$n\" ]; do sleep 0.1; done; cat /etc/app.conf"),
        act=said_then("ready", engine("kill", "-s", "HUP")),
    ),
    Stage("kill-9-outside", "killed-externally", ("sleep", "60"), act=host_kill(KILL)),
    Stage("kill-9-outside-limited", "killed-externally", ("sleep", "60"), SMALL, act=host_kill(KILL)),
    Stage(
        "term-outside",
        "killed-externally",
        shell(WAIT_LOOP),
        (*NONE, "--init"),
        act=said_then("ready", host_kill(TERM)),
    ),
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
    Stage("no-command-in-script", "command-not-found", loud("frobnicate: not found", 127), says="command frobnicate"),
    Stage(
        "no-path-in-bash",
        "command-not-found",
        loud("bash: line 1: /opt/frobnicate: No such file or directory", 127),
        says="the command /opt/frobnicate",
    ),
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
    Stage("oom-child-lives", "oom-child", shell("/hog; echo lives; sleep 60"), SMALL, logged("lives"), lives=True),
    Stage(
        "oom-child-then-stop",
        "stopped",
        shell("/hog; echo lives; sleep 60"),
        (*SMALL, "--init"),
        said_then("lives", engine("stop")),
        also=frozenset({"oom-child"}),
        says="; before that, it reached its memory limit",
    ),
    Stage("oom-child-code-passed-on", "oom-child", shell("/hog; exit $?"), SMALL),
    Stage("oom-child-then-error", "oom-child", shell("/hog; exit 1"), SMALL),
    Stage("java-heap", "app-heap-exhausted", loud("java.lang.OutOfMemoryError: Java heap space", 3), SMALL),
    Stage(
        "node-heap",
        "app-heap-exhausted",
        shell(
            "echo 'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory' >&2; exec /abort"
        ),
        (*NONE, "--init"),
        also=frozenset({"abort"}),
    ),
    Stage("address-space", "memory-rlimit", shell("ulimit -v 100000; exec /allocate"), says="address space"),
    Stage("memory-error", "memory-rlimit", loud("MemoryError"), says="address space"),
    Stage("ulimit-memory", "memory-rlimit", ("/allocate",), (*NONE, "--ulimit", "data=300000000")),
    Stage(
        "nearly-full",
        "memory-near-limit",
        shell("/hog 18 & sleep 1; echo full; wait"),
        SMALL,
        logged("full"),
        lives=True,
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
    Stage(
        "loop",
        "restart-loop",
        loud("the widget is bent", 3),
        ALWAYS,
        restarted(3),
        lives=True,
        also=frozenset({"app-error"}),
        says='exit code 3 ("the widget is bent")',
    ),
    Stage(
        "loop-over-a-file",
        "missing-file",
        loud("fatal: no such file: /etc/app/config.yml"),
        ALWAYS,
        restarted(3),
        lives=True,
        also=frozenset({"restart-loop"}),
    ),
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
        "unhealthy",
        ("/sleeper",),
        (*PROBE, "--health-cmd", "wget -q -O- http://127.0.0.1:1/"),
        health("unhealthy"),
        lives=True,
        says="nothing in it listens on 127.0.0.1:1",
    ),
    Stage(
        "probe-missing",
        "healthcheck-broken",
        ("/sleeper",),
        (*PROBE, "--health-cmd", "curl -f http://localhost/"),
        health("unhealthy"),
        lives=True,
        also=frozenset({"unhealthy"}),
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


NOT_ON_PODMAN = {
    "no-device": "Podman refuses to make the container at all",
}
"""Stages that can't be set there, and why."""


def check(verdict: Verdict, cause: str, also: frozenset[str] = frozenset(), says: str = "") -> None:
    shown = f"{verdict.cause} ({verdict.confidence}): {verdict.summary}; contributing {verdict.contributing}"
    assert verdict.cause == cause, shown
    assert set(verdict.contributing) == also, shown
    assert verdict.evidence, shown
    assert says in f"{verdict.summary}\n{verdict.evidence[0].text}", (shown, verdict.evidence)
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


def make_stage_image(corner: Docker, programs: dict[str, Path]) -> str:
    """An image in which all of them can be staged."""
    source = Path("/bin/busybox")
    applets = subprocess.run([source, "--list"], capture_output=True, text=True, check=True).stdout.split()
    files: dict[str, bytes | Path | str] = {f"bin/{applet}": "-> busybox" for applet in applets if applet != "busybox"}
    files |= {"bin/busybox": source, "etc/passwd": b"root:x:0:0::/:/bin/sh\n"}
    files |= {name: path for name, path in programs.items() if name != "dynamic"}
    files |= {
        "crlf.sh": b"#!/bin/sh\r\necho hi\r\n",
        "perl.sh": b"#!/usr/bin/perl\nprint 1\n",
        "env.py": b"#!/bin/env python3\nprint(1)\n",
        "nothing.txt": b"echo hi\n",
        "plain.txt": b"hi\n",
        "root-only": b"secret\n",
        "foreign": _foreign_elf(),
        "nocc": programs["dynamic"],
    }
    return corner.image(
        "stage",
        files,
        'CMD ["/bin/sh"]',
        directories=("tmp", "data", "adir", "closed"),
        modes={"plain.txt": 0o644, "root-only": 0o600, "closed": 0o700},
    )


def _foreign_elf() -> bytes:
    """The header of a program for a processor this machine hasn't."""
    machine = 62 if os.uname().machine != "x86_64" else 183
    ident = b"\x7fELF\x02\x01\x01" + bytes(9)
    return ident + struct.pack("<HHIQQQIHHHHHH", 2, machine, 1, 0x400000, 0, 0, 0, 64, 56, 0, 0, 0, 0) + bytes(64)
