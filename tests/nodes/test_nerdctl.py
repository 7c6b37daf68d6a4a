"""Containers in namespace `default` with the labels, names and log files of nerdctl; nerdctl itself isn't packaged."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from support.node.containerd import IMAGE, Containerd
from support.pyd import Run


def run(node: Containerd, name: str, *command: str, log: bytes = b"", project: str = "") -> str:
    """Create a container as `nerdctl run -d -p 127.0.0.1:8080:80` does, and write the log that its logger would."""
    identity = secrets.token_hex(32)
    state = node.directory / "nerdctl/1935db59/containers/default" / identity
    state.mkdir(parents=True)
    (state / f"{identity}-json.log").write_bytes(log)
    labels = {
        "nerdctl/name": name,
        "nerdctl/namespace": "default",
        "nerdctl/hostname": identity[:12],
        "nerdctl/networks": '["bridge"]',
        "nerdctl/ports": '[{"HostPort":8080,"ContainerPort":80,"Protocol":"tcp","HostIP":"127.0.0.1"}]',
        "nerdctl/state-dir": str(state),
        "nerdctl/platform": "linux/amd64",
    }
    if project:  # `nerdctl compose`
        labels |= {"com.docker.compose.project": project, "com.docker.compose.service": name}
    options = [word for key, value in labels.items() for word in ("--label", f"{key}={value}")]
    node.ctr("run", "-d", "--null-io", *options, IMAGE, identity, *command)
    return identity


def test_a_container_has_its_name_ports_networks_project_and_log(node: Containerd, pyd_on: Callable[[str], Run]):
    pyd = pyd_on("default")
    log = b'{"log":"hello\\n","stream":"stdout","time":"2026-01-01T00:00:00.000000001Z"}\n'
    log += b'{"log":"oh no\\n","stream":"stderr","time":"2026-01-01T00:00:01.000000001Z"}\n'
    identity = run(node, "web", "sleep", "1000", log=log, project="shop")
    (entry,) = json.loads(pyd("ps", "--json").stdout)
    assert (entry["name"], entry["state"], entry["id"]) == ("web", "running", identity)
    assert "127.0.0.1:8080->80" in pyd("ps").stdout
    assert pyd("ps", "-q", "--filter", "label=com.docker.compose.project=shop").stdout.strip() == identity[:12]
    assert pyd("logs", "web").stdout == "hello\noh no\n"
    assert pyd("logs", "--json", "web").stdout.count('"stderr"') == 1
    assert pyd("logs", "--since", "2026-01-01T00:00:01Z", identity[:12]).stdout == "oh no\n"
    assert pyd("exec", "web", "sh", "-c", "echo $COLOUR").stdout == "green\n"
    assert pyd("debug", "web", "-c", "cat /proc/1/comm").stdout == "sleep\n"


def test_an_ended_container_is_explained_and_entered(node: Containerd, pyd_on: Callable[[str], Run]):
    pyd = pyd_on("default")
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    log = json.dumps({"log": "fatal: no database\n", "stream": "stderr", "time": now}).encode() + b"\n"
    run(node, "job", "sh", "-c", "echo left > /srv/note; exit 3", log=log)
    for _ in range(200):
        (entry,) = json.loads(pyd("ps", "-a", "--json").stdout)
        if entry["state"] == "exited":
            break
    assert (entry["name"], entry["exit_code"]) == ("job", 3)
    assert "no database" in pyd("triage", "job").stdout
    assert "left" in pyd("debug", "job", "-c", "cat /srv/note").stdout
    assert "pyd" not in node.ctr("leases", "ls")


def test_two_containers_of_one_name_are_reached_by_id(node: Containerd, pyd_on: Callable[[str], Run]):
    """nerdctl warns that several containers may have the same name."""
    pyd = pyd_on("default")
    first = run(node, "twin", "sh", "-c", "exec sleep 1001")
    second = run(node, "twin", "sh", "-c", "exec sleep 1002")
    assert "sleep 1001" in pyd("top", first[:12]).stdout
    assert "sleep 1002" in pyd("top", second[:12]).stdout


def test_the_log_directory_in_a_label_leads_to_no_other_file(
    node: Containerd, pyd_on: Callable[[str], Run], tmp_path: Path
):
    """Labels are free: the name of the file is fixed, it may not be a link, and what isn't a log has no lines."""
    pyd = pyd_on("default")
    secret = tmp_path / "secret"
    secret.write_text("root:hunter2\n")
    identity = run(node, "odd", "sleep", "1000")
    path = node.directory / "nerdctl/1935db59/containers/default" / identity / f"{identity}-json.log"
    path.unlink()
    path.symlink_to(secret)
    assert "hunter2" not in pyd("logs", "odd").stdout
    path.unlink()
    secret.rename(path)
    assert "hunter2" not in pyd("logs", "odd").stdout
