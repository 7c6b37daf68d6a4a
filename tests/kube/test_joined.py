"""Debug sessions in pods whose containers are real: the toolbox's image joins the target's mount namespace."""

from __future__ import annotations

import json
import shutil
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from support.docker import Docker, busybox_files
from support.kube.process import ClusterProcess, scripted_cluster
from support.pyd import Run
from support.registry import Registry
from support.terminal import Terminal


class RealPod(NamedTuple):
    """The recorded pod `running`, whose container `app` is a real one."""

    pyd: Run
    cluster: ClusterProcess
    docker: Docker
    container: str


@pytest.fixture(scope="module")
def pushed(tmp_path_factory: pytest.TempPathFactory, pyd_of_module: Path) -> Iterator[dict[str, str]]:
    """A registry with the toolbox's image, and the environment of the user that pushed it."""
    home = tmp_path_factory.mktemp("registry")
    with Registry.started(home) as registry:
        run = Run(pyd_of_module, "")
        run.env["XDG_STATE_HOME"] = str(home / "state")
        done = run("toolbox", "push", f"{registry.address}/tools:1")
        assert done.returncode == 0, done.stderr
        assert done.stdout == f"{registry.address}/tools:1\n"
        yield {"XDG_STATE_HOME": str(home / "state"), "image": f"{registry.address}/tools:1"}
        Docker()("rmi", "--force", f"{registry.address}/tools:1", check=False)  # the nodes' engine has pulled it


@pytest.fixture(scope="module")
def pyd_of_module() -> Path:
    path = shutil.which("pyd", path=str(Path(sys.executable).parent))
    assert path
    return Path(path)


@pytest.fixture
def pod(
    docker: Docker, tmp_path: Path, pyd_path: Path, pushed: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[RealPod]:
    image = docker.image("app", {**busybox_files(), "etc/marker": b"of the target\n"})
    container = docker.run("app", image, "sleep", "600", options=("--network", "none"))
    monkeypatch.setenv("SCRIPTED_CLUSTER_DOCKER", f"docker --host {docker.host}")
    with scripted_cluster(tmp_path) as cluster:
        cluster.call("assign", "running", "app", container)
        pyd = Run(pyd_path, "kube://")
        pyd.env |= {"KUBECONFIG": str(cluster.kubeconfig), "XDG_STATE_HOME": pushed["XDG_STATE_HOME"]}
        try:
            yield RealPod(pyd, cluster, docker, container)
        finally:
            for name in docker("ps", "--all", "--quiet", "--filter", f"name={container}-pyd-").split():
                docker("rm", "--force", name)


def test_the_root_is_the_target_s_and_tools_are_beside(pod: RealPod):
    line = "cat /etc/marker; readlink /proc/1/exe; strace -V | head -1; exit 7"
    done = pod.pyd("-H", "kube://", "debug", "pod/running/app", "--explain", "-c", line)
    assert done.returncode == 7, done.stderr
    marker, program, strace = done.stdout.splitlines()
    assert (marker, program) == ("of the target", "/bin/busybox")
    assert strace.startswith("strace -- version")
    assert "rung join" in done.stderr
    assert pod.docker("diff", pod.container) == ""


def test_a_second_session_uses_the_same_debug_container(pod: RealPod):
    for _ in range(2):
        assert pod.pyd("-H", "kube://", "debug", "pod/running/app", "--", "true").returncode == 0
    patches = [line for line in pod.cluster.call("requests") if line.startswith("PATCH")]
    assert len(patches) == 1


def test_a_missing_program_has_the_shell_s_exit_code(pod: RealPod):
    done = pod.pyd("-H", "kube://", "debug", "pod/running/app", "--", "no-such-program")
    assert (done.returncode, "no-such-program" in done.stderr) == (127, True)


def test_builtins_see_the_target(pod: RealPod):
    done = pod.pyd("-H", "kube://", "debug", "pod/running/app", "-b", "ps --json")
    assert done.returncode == 0, done.stderr
    assert any(process["command"].startswith("sleep 600") for process in json.loads(done.stdout))
    assert "running" in pod.pyd("-H", "kube://", "debug", "pod/running/app", "-b", "why").stdout


def test_a_report_has_the_pod_its_events_its_node_and_its_logs(pod: RealPod, tmp_path: Path):
    file = tmp_path / "report.tar.gz"
    done = pod.pyd("-H", "kube://", "debug", "pod/running/app", "-b", f"report {file}")
    assert done.returncode == 0, done.stderr
    with tarfile.open(file) as archive:
        parts = {name.rpartition("/")[2]: archive.extractfile(name).read() for name in archive.getnames()}  # type: ignore[union-attr]
    assert json.loads(parts["inspect.json"])["kind"] == "Pod"
    assert {"why.txt", "ps.json", "events.json", "mounts.json"} <= parts.keys(), parts.get("missing.txt")


def test_the_interactive_shell_has_its_builtins(pod: RealPod):
    with Terminal([pod.pyd.pyd, "-H", "kube://", "debug", "pod/running/app"], env=pod.pyd.env) as terminal:
        terminal.wait_for("root:/#")
        terminal.type("caps")
        terminal.keys("Enter")
        terminal.wait_for("no new privileges")
        terminal.type("cat /etc/marker")
        terminal.keys("Enter")
        terminal.wait_for("of the target")
        terminal.type("exit 3")
        terminal.keys("Enter")
