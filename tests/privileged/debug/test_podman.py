"""Podman's containers, with and without a user namespace."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from socket import AF_UNIX
from socket import socket as listener
from typing import Any

import pytest

from support.docker import layer
from support.missing import missing

ENVIRONMENT = {**os.environ, "PODMAN_IGNORE_CGROUPSV1_WARNING": "1"}


ACTIVATE = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1")
os.execvp(sys.argv[2], sys.argv[2:])
"""
"""Starts a program with a listening socket in hand, as sd_listen_fds(3) has it."""


class Podman:
    """A Podman with an API socket of its own; runc, because crun refuses hosts with both cgroup versions in use."""

    def __init__(self, runtime: str, socket: Path) -> None:
        self.url = f"unix://{socket}"
        self.prefix = f"pydt-{uuid.uuid4().hex[:6]}"
        self._command = ["podman", "--runtime", runtime]
        self.image = f"localhost/{self.prefix}:1"
        # Listened on before it starts, so that no client has to wait until it answers.
        with listener(AF_UNIX) as waiting:
            waiting.bind(str(socket))
            waiting.listen()
            service = [
                sys.executable,
                "-c",
                ACTIVATE,
                str(waiting.fileno()),
                *self._command,
                "system",
                "service",
                "-t0",
            ]
            self.service = subprocess.Popen(service, env=ENVIRONMENT, pass_fds=[waiting.fileno()])

    def __call__(self, *arguments: str, stdin: bytes | None = None) -> str:
        done = subprocess.run(
            [*self._command, *arguments], input=stdin, capture_output=True, check=True, env=ENVIRONMENT
        )
        return done.stdout.decode().strip()

    def run(self, short: str, *options: str) -> str:
        name = f"{self.prefix}-{short}"
        self("run", "-d", "--name", name, "--network", "none", *options, self.image)
        return name

    def debug(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "pyd_tui", "-H", self.url, "debug", *arguments]
        return subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=60, stdin=subprocess.DEVNULL
        )


@pytest.fixture(scope="module")
def podman(sleeper: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Podman]:
    runtime = shutil.which("runc")
    if shutil.which("podman") is None or runtime is None:
        missing("podman and runc (sh test.sh installs them)")
    directory = tmp_path_factory.mktemp("podman")
    engine = Podman(runtime, directory / "podman.sock")
    try:
        engine("import", "-c", 'CMD ["/app"]', "-", engine.image, stdin=layer({"app": sleeper}))
        yield engine
    finally:
        for name in engine("ps", "-aq", "--filter", f"name={engine.prefix}").split():
            engine("rm", "-f", "-t", "0", name)
        engine("rmi", "-f", engine.image)
        engine.service.send_signal(signal.SIGTERM)
        engine.service.wait(30)


def test_a_container_of_podmans_is_entered(podman: Podman):
    done = podman.debug(podman.run("plain", "--read-only"), "-c", "ps -e -o pid=,comm= | head -1; ls /app; id -u")
    assert (done.stdout.split(), done.stderr) == (["1", "app", "/app", "0"], "")


def test_in_a_user_namespace_root_is_the_containers_and_nobody_on_the_host(podman: Podman):
    name = podman.run("mapped", "--uidmap", "0:100000:65536")
    done = podman.debug(name, "-c", "id -u; touch /etc/mine /dev/mine; stat -c %u /etc/mine; cat /proc/self/uid_map")
    assert (done.stdout.split(), done.stderr) == (["0", "0", "0", "100000", "65536"], "")
    pid = podman("inspect", "-f", "{{.State.Pid}}", name)
    assert Path(f"/proc/{pid}/root/etc/mine").stat().st_uid == 100000
    expected = [
        line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith(("CapEff", "CapBnd"))
    ]
    as_target = podman.debug("--as", "target", name, "-c", "grep -E 'Cap(Eff|Bnd)' /proc/self/status")
    assert as_target.stdout.splitlines() == expected


def test_builtins_number_users_as_the_container_does_and_write_as_its_root(podman: Podman, tmp_path: Path):
    name = podman.run("builtins", "--uidmap", "0:100000:65536", "--memory", "64m")

    def run_json(line: str) -> Any:
        done = podman.debug(name, "-b", f"{line} --json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    assert [row["name"] for row in run_json("ps")] == ["app"]
    assert (run_json("caps")["uid"], run_json("caps")["user_namespace"]) == (0, True)
    assert run_json("cgroup")["memory_limit"] == 64 << 20
    assert {row["name"]: row["uid"] for row in run_json("files /")}["app"] == 0
    (tmp_path / "sent").write_text("sent")
    run_json(f"put {tmp_path}/sent /etc/sent")
    pid = podman("inspect", "-f", "{{.State.Pid}}", name)
    assert Path(f"/proc/{pid}/root/etc/sent").stat().st_uid == 100000
    assert run_json("dns localhost")[0]["source"] == "/etc/hosts"
    assert {row["name"] for row in run_json("net")["interfaces"]} == {"lo"}
    assert run_json("diff")
