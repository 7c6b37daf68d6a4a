"""The commands of the installed pyd on a cluster, as users type them."""

from __future__ import annotations

import json
import re
import subprocess
import urllib.request
from pathlib import Path

from support.kube.process import ClusterProcess
from support.pyd import Run


def test_ps_lists_pods_with_their_states(pyd: Run):
    done = pyd("ps", "-a", "--json")
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)) > 40
    text = pyd("ps", "-a").stdout
    assert re.search(r"crashloop +\S+ +restarting +1 ", text)
    assert re.search(r"oom-main-never +\S+ +exited +137 ", text)


def test_a_failing_pod_s_log_and_verdict(pyd: Run):
    assert "cannot open database" in pyd("logs", "crashloop").stdout
    assert "cause: connection-refused" in pyd("triage", "crashloop").stdout


def test_pods_have_verdicts_of_their_own(pyd: Run):
    pending = pyd("triage", "pending-cpu")
    assert "cause: insufficient-resources" in pending.stdout
    assert "Insufficient cpu (1 node)" in pending.stdout
    assert "partly-ready/bad" in pyd("triage", "partly-ready").stdout
    swept = pyd("triage", "--json")
    assert swept.returncode == 1, swept.stderr
    kinds = {concern["subjects"][0]: concern["kind"] for concern in json.loads(swept.stdout)["concerns"]}
    assert kinds["evicted-emptydir"] == "evicted-storage-limit"
    assert kinds["init-fail/setup"] == "connection-refused"


def test_exec_keeps_streams_and_exit_codes(pyd: Run):
    done = pyd("exec", "-i", "running/ticker", "sh", "-c", "cat; echo err >&2; exit 9", stdin=b"typed")
    assert (done.stdout, done.stderr, done.returncode) == ("typed", "err\n", 9)
    missing = pyd("exec", "running", "no-such-program")
    assert (missing.returncode, "command-not-found" in missing.stderr) == (127, True)
    assert pyd("exec", "running", "true").returncode == 0


def test_files_go_both_ways(pyd: Run, tmp_path: Path):
    source, target = tmp_path / "a/in", tmp_path / "b"
    source.parent.mkdir()
    target.mkdir()
    source.write_text("content")
    assert pyd("cp", str(source), f"running:{target}/").returncode == 0
    assert pyd("cp", f"running:{target}/in", str(tmp_path / "back")).returncode == 0
    assert (tmp_path / "back").read_text() == "content"


def test_debug_reports_its_way_and_keeps_the_exit_code(pyd: Run):
    done = pyd("debug", "pod/running/app", "-c", "echo at $PYD_TARGET; exit 4", DOCKER_HOST="")
    assert (done.stdout, done.returncode) == ("at /proc/1/root\n", 4)
    explained = pyd("-H", "kube://", "debug", "running/app", "--explain", "--", "true")
    assert "ephemeral container pyd-" in explained.stderr
    assert explained.returncode == 0


def test_a_refused_debug_session_exits_with_125_and_leaves_nothing(cluster: ClusterProcess, pyd: Run):
    done = pyd("-H", "kube://", "debug", "pod/crashloop", "-c", "true")
    assert done.returncode == 125
    assert "--copy" in done.stderr
    assert not [line for line in cluster.call("requests") if line.startswith("PATCH")]


def test_a_port_is_forwarded_until_the_interrupt(cluster: ClusterProcess, pyd: Run):
    port = cluster.address.rpartition(":")[2]
    with subprocess.Popen(
        [pyd.pyd, "-H", "kube://", "port-forward", "pod/running", f":{port}"],
        stderr=subprocess.PIPE,
        text=True,
        env=pyd.env,
    ) as process:
        assert process.stderr is not None
        local = re.search(r":(\d+) leads", process.stderr.readline())
        assert local is not None
        with urllib.request.urlopen(f"http://127.0.0.1:{local[1]}/version") as answer:
            assert json.load(answer)["gitVersion"] == "v1.36.2"
        process.terminate()


def test_events_are_those_of_the_cluster_and_of_containers(pyd: Run):
    text = pyd("events", "--until", "0s").stdout
    assert "pod Scheduled running" in text
    assert "container die crashloop" in text


def test_a_cluster_that_is_away_is_one_line_and_what_to_do(pyd: Run, tmp_path: Path):
    config = json.loads(Path(pyd.env["KUBECONFIG"]).read_text())
    config["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:1"
    (tmp_path / "away").write_text(json.dumps(config))
    done = pyd("ps", KUBECONFIG=str(tmp_path / "away"))
    assert done.returncode == 125
    assert len(done.stderr.splitlines()) == 2
    assert "hint:" in done.stderr


def test_a_kubeconfig_without_that_context_lists_those_that_there_are(pyd: Run):
    done = pyd("-H", "kube://nowhere", "ps")
    assert "scripted, other" in done.stderr


def test_what_only_engines_have_is_refused_by_name(pyd: Run):
    assert "is a cluster: it doesn't offer images" in pyd("images").stderr
    assert "read-only" in pyd("--read-only", "-H", "kube://", "debug", "pod/running", "-c", "true").stderr


def test_an_edit_is_shown_as_a_difference_before_it_is_made(cluster: ClusterProcess, pyd: Run, tmp_path: Path):
    metadata = {"name": "settings", "namespace": "states"}
    document = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"mode": "slow"}}
    cluster.call("put", "configmaps", document)
    editor = tmp_path / "editor"
    editor.write_text("#!/bin/sh\nsed -i s/slow/fast/ $1\n")
    editor.chmod(0o755)
    done = pyd("edit", "configmap/settings", "--dry-run", VISUAL=str(editor))
    assert "+  mode: fast" in done.stdout, done.stderr
    assert "slow" in pyd("edit", "configmap/settings", "--dry-run", VISUAL=str(editor)).stdout
    assert "settings changed" in pyd("edit", "configmap/settings", "--yes", VISUAL=str(editor)).stdout
    assert pyd("edit", "configmap/settings", "--dry-run", VISUAL=str(editor)).stdout == "nothing changed\n"
