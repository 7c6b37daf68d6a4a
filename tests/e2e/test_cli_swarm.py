"""The verbs of a swarm, on an engine with a network namespace of its own."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.docker import Docker, busybox_files
from support.pyd import Run
from support.swarm import SwarmHost

PATIENCE = 120.0
LASTING = ("sh", "-c", "echo $(cat /run/secrets/word /tmp/motd) hello; trap 'exit 0' TERM; while :; do sleep 0.1; done")


class Verbs:
    """Runs verbs that must succeed."""

    def __init__(self, run: Run) -> None:
        self.run = run

    def __call__(self, *arguments: str, stdin: bytes = b"") -> str:
        done = self.run(*arguments, stdin=stdin)
        assert done.returncode == 0, (arguments, done.stderr)
        return done.stdout.strip()

    def until(self, *arguments: str, wanted: str) -> None:
        """A manager tells of its tasks to those who ask, and of nothing by events."""
        deadline = time.monotonic() + PATIENCE
        while (told := self(*arguments)) != wanted:
            assert time.monotonic() < deadline, told
            time.sleep(0.1)


@pytest.fixture(scope="module")
def host() -> Iterator[Docker]:
    with SwarmHost() as made:
        yield Docker(made.url)


def test_a_swarm_is_made_used_and_left(host: Docker, pyd: Path):
    verbs = Verbs(Run(pyd, host.host))
    image = host.image("shell", busybox_files(), directories=("tmp",))
    assert verbs.run("service", "ls").returncode != 0  # there is no swarm yet
    verbs("swarm", "init", "--advertise-addr", "127.0.0.1", "--listen-addr", "127.0.0.1:2377")
    node = _members(verbs, host)
    _kept(verbs)
    _served(verbs, image, node)
    verbs("config", "rm", "motd")
    verbs("secret", "rm", "word")
    assert verbs.run("swarm", "leave").returncode == 1  # a manager only by force
    verbs("swarm", "leave", "--force")
    assert host("info", "--format", "{{.Swarm.LocalNodeState}}") == "inactive"


def _members(verbs: Verbs, host: Docker) -> str:
    """Tokens, certificate and the only node; returns its id."""
    before = host("swarm", "join-token", "-q", "manager")
    assert verbs("swarm", "join-token", "-q", "manager") == before
    renewed = verbs("swarm", "join-token", "--rotate", "-q", "manager")
    assert renewed == host("swarm", "join-token", "-q", "manager") != before
    assert verbs("swarm", "ca") == host("swarm", "ca")
    node = verbs("node", "ls", "-q")
    assert node == host("node", "ls", "-q")
    verbs("node", "update", "--label-add", "disk=fast", node)
    assert json.loads(verbs("node", "inspect", node))[0]["Spec"]["Labels"] == {"disk": "fast"}
    assert verbs.run("node", "demote", node).returncode == 1  # the last manager stays one
    return node


def _kept(verbs: Verbs) -> None:
    """Secrets and configs."""
    verbs("secret", "create", "word", "-", stdin=b"hush")
    verbs("config", "create", "motd", "-", stdin=b"welcome")
    assert verbs("secret", "ls", "--format", "{{.Name}}") == "word"
    assert verbs("config", "ls", "--format", "{{.Name}}") == "motd"
    assert json.loads(verbs("config", "inspect", "motd"))[0]["Spec"]["Data"] == "d2VsY29tZQ=="


def _served(verbs: Verbs, image: str, node: str) -> None:
    """A service from its making to its end, and the stack it belongs to."""
    stack = "com.docker.stack.namespace=shop"
    given = ("--name", "web", "--replicas", "2", "--network", "host", "--label", stack, "--container-label", stack)
    kept = ("--secret", "word", "--config", "source=motd,target=/tmp/motd,mode=0400")
    verbs("service", "create", "-d", *given, *kept, image, *LASTING)
    assert verbs.run("service", "create", "--secret", "nosuch", image).returncode == 1
    counted = ("service", "ls", "--format", "{{.Name}} {{.Replicas}}")
    verbs.until(*counted, wanted="web 2/2")
    tasks = verbs("service", "ps", "--format", "{{.Name}}", "web").splitlines()
    assert sorted(tasks) == ["web.1", "web.2"]
    assert json.loads(verbs("service", "inspect", "web"))[0]["Spec"]["Name"] == "web"
    verbs.until("service", "logs", "--raw", "web", wanted="hushwelcome hello\nhushwelcome hello")
    assert verbs("stack", "ls", "--format", "{{.Name}}") == "shop"
    assert "web" in verbs("stack", "services", "shop")
    assert "web.1" in verbs("stack", "ps", "shop")
    assert "web.1" in verbs("node", "ps", node)
    verbs("service", "scale", "-d", "web=1")
    verbs.until(*counted, wanted="web 1/1")
    verbs("service", "update", "-d", "--label-add", "a=b", "web")
    assert json.loads(verbs("service", "inspect", "web"))[0]["Spec"]["Labels"]["a"] == "b"
    verbs("service", "rollback", "web")
    assert "a" not in json.loads(verbs("service", "inspect", "web"))[0]["Spec"]["Labels"]
    verbs("stack", "rm", "shop")
    verbs.until("service", "ls", "-q", wanted="")
