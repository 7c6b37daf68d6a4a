"""Pods that run as containers of a pydd: kubectl's and pyd's streams lead to real processes."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest

from support.docker import Docker, busybox_files
from support.kube.kubectl import Kubectl
from support.kube.process import ClusterProcess, scripted_cluster
from support.pyd import Run
from support.pydd import Pydd

TICKING = "trap 'exit 0' TERM; i=0; while sleep 0.2; do echo tick $i; i=$((i+1)); done"


@pytest.fixture(scope="module")
def engine() -> Iterator[Pydd]:
    pytest.importorskip("kubernetes")
    with Pydd.started() as pydd:
        yield pydd


@pytest.fixture(scope="module")
def image(engine: Pydd) -> Iterator[str]:
    with Docker(host=engine.host) as docker:
        yield docker.image("busybox", busybox_files(), 'CMD ["/bin/sh"]', directories=("tmp", "etc"))


@pytest.fixture(scope="module")
def cluster(engine: Pydd, image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClusterProcess]:
    with scripted_cluster(tmp_path_factory.mktemp("cluster"), engine.host, image) as process:
        yield process


@pytest.fixture(scope="module")
def kubectl(cluster: ClusterProcess, tmp_path_factory: pytest.TempPathFactory) -> Kubectl:
    return Kubectl(cluster.kubeconfig, tmp_path_factory.mktemp("home"))


@pytest.fixture
def ticker(kubectl: Kubectl, image: str) -> Iterator[str]:
    kubectl("run", "ticker", f"--image={image}", "--restart=Never", "--", "sh", "-c", TICKING)
    kubectl("wait", "--for=condition=Ready", "pod/ticker", "--timeout=60s")
    yield "ticker"
    kubectl("delete", "pod", "ticker")


def test_a_pod_s_log_is_its_process_s_output(kubectl: Kubectl, ticker: str):
    with kubectl.start("logs", "-f", ticker) as process:
        assert process.stdout is not None
        try:
            assert [process.stdout.readline() for _ in range(3)] == ["tick 0\n", "tick 1\n", "tick 2\n"]
        finally:
            process.terminate()


def test_the_previous_run_of_a_pod_that_crashes(kubectl: Kubectl, image: str):
    kubectl("run", "crash", f"--image={image}", "--", "sh", "-c", "echo dying; exit 3")
    path = "{.status.containerStatuses[0].lastState.terminated.exitCode}"
    kubectl("wait", f"--for=jsonpath={path}=3", "pod/crash", "--timeout=60s")
    assert kubectl("logs", "crash", "--previous") == "dying\n"
    kubectl("delete", "pod", "crash", "--now")


def test_exec_runs_in_the_container(kubectl: Kubectl, ticker: str):
    done = kubectl.run("exec", "-i", ticker, "--", "sh", "-c", "hostname; cat; exit 7", stdin="typed")
    assert (done.stdout, done.returncode) == ("ticker\ntyped", 7)
    missing = kubectl.run("exec", ticker, "--", "no-such-program")
    assert "executable file not found in $PATH" in missing.stderr


@pytest.mark.parametrize("verb", ["exec", "attach"])
def test_a_terminal_has_the_client_s_size(kubectl: Kubectl, image: str, verb: str):
    name = f"shell-{verb}"
    kubectl("run", name, f"--image={image}", "-i", "-t", "--restart=Never", "--attach=false", "--", "sh")
    kubectl("wait", "--for=condition=Ready", f"pod/{name}", "--timeout=60s")
    arguments = [verb, "-it", name, *(["--", "sh"] if verb == "exec" else [])]
    env = {**kubectl.env, "TERM": "xterm"}
    terminal = pexpect.spawn(kubectl.program, arguments, env=env, timeout=60, encoding="utf-8", dimensions=(31, 99))
    terminal.expect("/ # ")
    terminal.sendline("stty size; echo $((6*7))")
    terminal.expect("31 99\r\n42\r\n")
    terminal.sendline("exit 3")
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 3
    kubectl("delete", "pod", name, "--now")


def test_a_port_that_only_the_pod_s_loopback_has_is_forwarded(kubectl: Kubectl, ticker: str):
    serve = "mkdir /tmp/www; echo served > /tmp/www/index.html; httpd -p 127.0.0.1:8099 -h /tmp/www"
    kubectl("exec", ticker, "--", "sh", "-c", serve)
    with kubectl.start("port-forward", f"pod/{ticker}", ":8099") as process:
        assert process.stdout is not None
        try:
            local = process.stdout.readline().split()[2]
            answer = subprocess.run(
                ["curl", "-sf", "--max-time", "30", f"http://{local}/"], capture_output=True, text=True, check=True
            )
            assert answer.stdout == "served\n"
        finally:
            process.terminate()


def test_files_go_both_ways(kubectl: Kubectl, ticker: str, tmp_path: Path):
    (tmp_path / "in").write_text("content")
    kubectl("cp", str(tmp_path / "in"), f"{ticker}:/tmp/in")
    assert kubectl("exec", ticker, "--", "cat", "/tmp/in") == "content"
    kubectl("cp", f"{ticker}:/tmp/in", str(tmp_path / "back"))
    assert (tmp_path / "back").read_text() == "content"


def test_a_debug_container_shares_processes_and_network_of_its_target(kubectl: Kubectl, ticker: str, image: str):
    script = "cat /proc/1/cmdline | tr '\\0' ' '; cat /proc/net/dev | grep -c eth0; ls /tmp; exit\n"
    debug = ("debug", ticker, f"--image={image}", "--image-pull-policy=Never", f"--target={ticker}", "-i", "-q")
    output = kubectl(*debug, "--", "sh", stdin=script)
    assert "echo tick" in output
    assert output.rstrip().endswith("1")
    names = kubectl.json("get", "pod", ticker)["spec"]["ephemeralContainers"]
    assert [entry["targetContainerName"] for entry in names] == [ticker]


def test_a_drained_node_runs_nothing_until_it_is_given_back(kubectl: Kubectl, image: str):
    kubectl("create", "deployment", "web", f"--image={image}", "--", "sh", "-c", TICKING)
    kubectl("rollout", "status", "deploy/web", "--timeout=60s")
    kubectl("drain", "kube-node", "--force", "--ignore-daemonsets", "--pod-selector=app=web")
    pods = kubectl.json("get", "pods", "-l", "app=web", "--field-selector=status.phase=Running")["items"]
    assert pods == []
    kubectl("uncordon", "kube-node")
    kubectl("rollout", "status", "deploy/web", "--timeout=60s")
    kubectl("delete", "deployment", "web")
    kubectl("wait", "--for=delete", "pod", "-l", "app=web", "--timeout=60s")


@pytest.fixture
def pyd(cluster: ClusterProcess, pyd_path: Path, image: str) -> Run:
    run = Run(pyd_path, "kube://")
    run.env |= {"KUBECONFIG": str(cluster.kubeconfig), "PYD_DEBUG_IMAGE": image}
    return run


def test_pyd_enters_reads_and_measures_a_real_pod(pyd: Run, ticker: str):
    assert re.search(r"ticker +\S+ +running", pyd("ps").stdout)
    assert re.search("^tick 0$", pyd("logs", ticker).stdout, re.MULTILINE)
    done = pyd("exec", "-i", ticker, "sh", "-c", "hostname; cat; exit 9", stdin=b"typed")
    assert (done.stdout, done.returncode) == ("ticker\ntyped", 9)
    missing = pyd("exec", ticker, "no-such-program")
    assert (missing.returncode, "command-not-found" in missing.stderr) == (127, True)
    debugged = pyd("debug", f"pod/{ticker}/{ticker}", "-c", "tr '\\0' ' ' < /proc/1/cmdline; exit 4")
    assert debugged.returncode == 4, debugged.stderr
    assert "echo tick" in debugged.stdout
