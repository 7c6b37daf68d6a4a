"""Docker's own clients with their defaults on pydd: Compose, secrets, a build that is cancelled, the history."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

from builds.conftest import Builders, require_buildx
from pyd_core.buildkit.proto import control_pb2
from pyd_core.buildkit.rpc.channel import calls
from support.build_client import connected
from support.docker import environment
from support.pydd import Pydd


def run(engine: str, *command: str, directory: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environ = environment(DOCKER_HOST=engine, **variables)
    return subprocess.run(command, cwd=directory, env=environ, capture_output=True, text=True, check=False)


def test_compose_builds_what_it_starts(builders: Builders, tmp_path: Path) -> None:
    (tmp_path / "f").write_text("composed\n")
    (tmp_path / "Dockerfile").write_text(f"FROM {builders.base}\nCOPY f /\nRUN cat /f > /g\n")
    (tmp_path / "compose.yml").write_text(
        'services:\n  web:\n    build: .\n    network_mode: none\n    stop_signal: KILL\n    command: ["cat", "/g"]\n'
    )
    compose = ("docker-compose", "-p", builders.pydd.name("composed"))
    try:
        up = run(builders.pydd.host, *compose, "up", "--build", "--abort-on-container-exit", directory=tmp_path)
        assert up.returncode == 0, up.stderr
        assert "| composed" in up.stdout
    finally:
        run(builders.pydd.host, *compose, "down", "-t", "0", "--rmi", "local", directory=tmp_path)


def test_a_secret_reaches_its_step_and_no_layer(builders: Builders, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(
        f"FROM {builders.base}\nRUN --mount=type=secret,id=token wc -c < /run/secrets/token > /size\nRUN cat /size\n"
    )
    tag = builders.pydd.name("secret")
    command = ("docker", "build", "--progress=plain", "-t", tag, "--secret", "id=token,env=TOKEN", ".")
    built = run(builders.pydd.host, *command, directory=tmp_path, TOKEN="very-secret")
    assert built.returncode == 0, built.stderr
    assert " 11\n" in built.stderr
    saved = subprocess.run(["docker", "-H", builders.pydd.host, "save", tag], capture_output=True, check=True).stdout
    assert b"very-secret" not in saved
    builders.pydd("rmi", tag)


def test_steps_know_the_host_by_a_name(builders: Builders, tmp_path: Path) -> None:
    require_buildx()
    (tmp_path / "Dockerfile").write_text(f"FROM {builders.base}\nRUN cat /etc/hosts\n")
    command = ("docker", "build", "--progress=plain", "--add-host", "the-host:host-gateway", ".")
    built = run(builders.pydd.host, *command, directory=tmp_path)
    assert built.returncode == 0, built.stderr
    gateway = builders.pydd.inspect("bridge")["IPAM"]["Config"][0]["Gateway"]
    assert f"{gateway}\tthe-host" in built.stderr


def test_a_failed_step_is_shown_with_its_line(builders: Builders, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(f"FROM {builders.base}\nRUN exit 3\n")
    built = run(builders.pydd.host, "docker", "build", "--progress=plain", ".", directory=tmp_path)
    assert built.returncode == 1
    assert ">>> RUN exit 3" in built.stderr
    assert 'process "/bin/sh -c exit 3" did not complete successfully: exit code: 3' in built.stderr


async def test_a_cancelled_build_leaves_nothing_running_and_is_in_the_history(
    builders: Builders, pydd: Pydd, tmp_path: Path
) -> None:
    (tmp_path / "Dockerfile").write_text(f"FROM {builders.base}\nRUN echo begun; sleep 1000\n")
    _cancel(builders.pydd.host, tmp_path)
    async with connected(pydd.config.socket_path, []) as caller:
        with calls():
            events = await caller.control.ListenBuildHistory(control_pb2.BuildHistoryRequest(EarlyExit=True))
            running = [event for event in events if event.type == control_pb2.STARTED]
            for event in running:  # the status of a build ends with it
                await caller.control.Status(control_pb2.StatusRequest(Ref=event.record.Ref))
            finished = await caller.control.ListenBuildHistory(control_pb2.BuildHistoryRequest(EarlyExit=True))
    assert finished[0].type == control_pb2.COMPLETE
    assert finished[0].record.error.message
    assert _sleepers(pydd) == []


def _cancel(engine: str, directory: Path) -> None:
    """Start a build, and interrupt its client once the step runs."""
    command = ["docker", "build", "--progress=plain", "."]
    environ = environment(DOCKER_HOST=engine)
    with subprocess.Popen(command, cwd=directory, env=environ, stderr=subprocess.PIPE, text=True) as client:
        assert client.stderr is not None
        while " begun\n" not in client.stderr.readline():
            assert client.poll() is None
        client.send_signal(signal.SIGINT)
        client.stderr.read()


def _sleepers(engine: Pydd) -> list[Path]:
    """Return the processes of steps that sleep in a cgroup of the engine."""
    sleeping = [path for path in Path("/proc").glob("[0-9]*/cmdline") if _content(path) == b"sleep\x001000\x00"]
    return [path for path in sleeping if engine.config.cgroup.encode() in _content(path.with_name("cgroup"))]


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
