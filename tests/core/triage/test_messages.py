# ruff: noqa: E501 - messages are as they were printed
from __future__ import annotations

import socket
from pathlib import Path

import pytest

from pyd_core.client.transport.blocking import run_now
from pyd_core.triage.causes import CAUSES
from pyd_core.triage.checks.explain import explain_error
from pyd_core.triage.messages import read_message
from pyd_core.triage.verdict import Verdict


@pytest.mark.parametrize(
    ("message", "cause", "subject"),
    [
        (
            (
                "permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock: Get "
                '"http://%2Fvar%2Frun%2Fdocker.sock/v1.24/info": dial unix /var/run/docker.sock: connect: permission denied'
            ),
            "engine-permission",
            "",
        ),
        (
            "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?",
            "engine-unreachable",
            "",
        ),
        (
            (
                "docker: Error response from daemon: driver failed programming external connectivity on endpoint web: Bind for "
                "0.0.0.0:8080 failed: port is already allocated."
            ),
            "port-conflict",
            "0.0.0.0:8080",
        ),
        (
            "COPY failed: file not found in build context or excluded by .dockerignore: stat app.py: file does not exist",
            "build-context",
            "app.py",
        ),
        (
            (
                "ERROR: failed to solve: failed to compute cache key: failed to calculate checksum of ref 1::2: "
                '"/src/app.py": not found'
            ),
            "build-context",
            "src/app.py",
        ),
        (
            "COPY failed: stat /var/lib/docker/tmp/docker-builder1/app.py: no such file or directory",
            "build-context",
            "app.py",
        ),
        ("toomanyrequests: You have reached your pull rate limit.", "pull-rate-limited", ""),
        (
            "pull access denied for team/app, repository does not exist or may require 'docker login'",
            "pull-auth",
            "team/app",
        ),
        ("manifest for debian:nope not found: manifest unknown", "image-not-found", "debian:nope"),
        (
            "no matching manifest for linux/arm64/v8 in the manifest list entries",
            "wrong-architecture",
            "linux/arm64/v8",
        ),
        (
            (
                'Error response from daemon: Get "https://registry.example/v2/": dial tcp: lookup registry.example: no such '
                "host"
            ),
            "registry-unreachable",
            "registry.example",
        ),
        (
            'Get "https://registry.example/v2/": net/http: request canceled (Client.Timeout exceeded)',
            "registry-unreachable",
            "registry.example",
        ),
        (
            "Error response from daemon: invalid pool request: Pool overlaps with other one on this address space",
            "pool-overlap",
            "",
        ),
        (
            "Error response from daemon: could not find an available, non-overlapping IPv4 address pool among the defaults to assign to the network",
            "no-free-pool",
            "",
        ),
        ("Error response from daemon: all predefined address pools have been fully subnetted", "no-free-pool", ""),
        (
            "Error response from daemon: error while removing network: network front id 0a1b has active endpoints",
            "network-in-use",
            "front",
        ),
        (
            'error while removing network: network back has active endpoints (name:"web" id:"0a")',
            "network-in-use",
            "back",
        ),
        ("Error response from daemon: remove data: volume is in use - [0a1b2c]", "volume-in-use", "data"),
        (
            "Error response from daemon: conflict: unable to delete team/app:1 (must be forced) - image is being used by stopped container 0a1b",
            "image-in-use",
            "team/app:1",
        ),
        (
            'conflict: unable to remove repository reference "app" (must force) - container 0a1b is using its referenced image 2c3d',
            "image-in-use",
            "app",
        ),
        (
            "driver failed programming external connectivity on endpoint web (0a1b): (iptables failed: iptables --wait -t nat -A DOCKER -p tcp -d 0/0 --dport 80 -j DNAT: iptables: No chain/target/match by that name. (exit status 1))",
            "firewall-chain-missing",
            "",
        ),
        (
            'Error response from daemon: This node is not a swarm manager. Use "docker swarm init"',
            "no-swarm-manager",
            "",
        ),
        (
            "Error response from daemon: client version 1.24 is too old. Minimum supported API version is 1.44, please upgrade your client to a newer version",
            "api-version",
            "1.24",
        ),
        (
            "Error response from daemon: client version 1.52 is too new. Maximum supported API version is 1.45",
            "api-version",
            "1.52",
        ),
        (
            'level=warning msg="Found orphan containers ([shop-old-1]) for this project. If you removed or renamed this service in your compose file, you can run this command with the --remove-orphans flag to clean it up."',
            "orphan-containers",
            "shop-old-1",
        ),
        (
            "validating /srv/compose.yaml: services.web additional properties 'imag' not allowed",
            "compose-file",
            "/srv/compose.yaml",
        ),
        ("services.web Additional property imag is not allowed", "compose-file", "services.web"),
        (
            'service "web" has neither an image nor a build context specified: invalid compose project',
            "compose-file",
            "web",
        ),
        ("yaml: line 3: mapping values are not allowed in this context", "compose-file", "3"),
        ("no configuration file provided: not found", "compose-file", ""),
        ('Conflict. The container name "/web" is already in use by container "0a"', "name-conflict", "web"),
        (
            (
                'OCI runtime exec failed: exec failed: unable to start container process: exec: "bash": executable file not '
                "found in $PATH: unknown"
            ),
            "command-not-found",
            "bash",
        ),
        ("write /var/lib/docker/tmp/x: no space left on device", "no-space", ""),
        ("exec /usr/local/bin/app: exec format error", "wrong-architecture", "/usr/local/bin/app"),
        ("mkdir: can't create directory '/data/x': Permission denied", "permission-denied", "/data/x"),
        ("unknown flag: --prot", "usage-error", "--prot"),
        ('ERROR: process "/bin/sh -c make" did not complete successfully: exit code: 137', "app-error", ""),
    ],
)
def test_reads_the_messages_of_the_trade(message: str, cause: str, subject: str) -> None:
    result = read_message(message)
    assert result is not None
    assert result.cause == cause
    assert result.cause in CAUSES
    if subject:
        assert result.subject == subject


def test_an_unknown_message_is_not_guessed() -> None:
    assert read_message("the moon is full") is None
    assert read_message("") is None


def explain(text: str, directory: Path) -> Verdict:
    return run_now(explain_error(text, None, directory=directory))


def test_a_path_missing_from_a_build_is_looked_for(tmp_path: Path) -> None:
    (tmp_path / "app.py").touch()
    verdict = explain("COPY failed: stat /var/lib/docker/tmp/x/App.py: no such file or directory", tmp_path)
    assert any("isn't in" in item.text for item in verdict.evidence)
    assert verdict.advice[0] == "write app.py: names are case-sensitive"


@pytest.mark.parametrize("pattern", ["*.py", "app.py", "/app.py", "**/app.py"])
def test_a_path_that_dockerignore_leaves_out_is_found_there(tmp_path: Path, pattern: str) -> None:
    (tmp_path / "app.py").touch()
    (tmp_path / ".dockerignore").write_text(f"# sources\n{pattern}\n")
    verdict = explain("COPY failed: stat app.py: file does not exist", tmp_path)
    assert any(".dockerignore excludes it" in item.text for item in verdict.evidence)
    assert verdict.advice[0] == "add !app.py to .dockerignore"


def test_a_directory_in_dockerignore_takes_its_files_along(tmp_path: Path) -> None:
    (tmp_path / ".dockerignore").write_text("build\n")
    verdict = explain('failed to compute cache key: "/build/out/app": not found', tmp_path)
    assert any(".dockerignore excludes it: build" in item.text for item in verdict.evidence)


def test_the_holder_of_a_port_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        verdict = explain(f"Bind for 127.0.0.1:{port} failed: port is already allocated", tmp_path)
    assert verdict.cause == "port-conflict"
    assert any(f"port {port} is used by" in item.text and "pid" in item.text for item in verdict.evidence)


def test_a_path_that_climbs_out_of_the_context_is_left_alone(tmp_path: Path) -> None:
    verdict = explain("COPY failed: stat ../../etc/shadow: no such file or directory", tmp_path)
    assert not any("shadow is in" in item.text for item in verdict.evidence)
