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

TIMEOUT_S = 120.0
LASTING = ("sh", "-c", "echo $(cat /run/secrets/word /tmp/motd) hello; trap 'exit 0' TERM; while :; do sleep 0.1; done")


class Verbs:
    """Runs verbs that must succeed."""

    def __init__(self, run: Run) -> None:
        self.run = run

    def __call__(self, *arguments: str, stdin: bytes = b"") -> str:
        done = self.run(*arguments, stdin=stdin)
        assert done.returncode == 0, (arguments, done.stderr)
        return done.stdout.strip()

    def until(self, *arguments: str, expected: str) -> None:
        """Poll: a manager lists its tasks on request and emits no events for them."""
        deadline = time.monotonic() + TIMEOUT_S
        while (output := self(*arguments)) != expected:
            assert time.monotonic() < deadline, output
            time.sleep(0.1)


@pytest.fixture(scope="module")
def machine() -> Iterator[SwarmHost]:
    with SwarmHost() as swarm_host:
        yield swarm_host


@pytest.fixture(scope="module")
def host(machine: SwarmHost) -> Docker:
    return Docker(machine.url)


def test_a_manager_that_locks_is_unlocked(machine: SwarmHost, host: Docker, pyd: Path):
    """There was no verb for it: a manager that locks was out of reach after it started again."""
    verbs = Verbs(Run(pyd, host.host))
    init = verbs("swarm", "init", "--autolock", "--advertise-addr", "127.0.0.1", "--listen-addr", "127.0.0.1:2377")
    key = verbs("swarm", "unlock-key", "-q")
    assert key == host("swarm", "unlock-key", "-q")
    assert key in init
    rotated = verbs("swarm", "unlock-key", "--rotate", "-q")
    assert rotated == host("swarm", "unlock-key", "-q") != key
    machine.restart()
    assert "locked" in verbs.run("service", "ls").stderr
    assert verbs.run("swarm", "unlock", stdin=b"SWMKEY-1-wrong").returncode == 1
    verbs("swarm", "unlock", stdin=f"{rotated}\n".encode())
    verbs.until("node", "ls", "--format", "{{.Status}}", expected="Ready")
    verbs("swarm", "update", "--no-autolock")
    assert verbs.run("swarm", "unlock-key").returncode == 2
    verbs("swarm", "leave", "--force")


@pytest.fixture
def verbs(host: Docker, pyd: Path) -> Iterator[Verbs]:
    """Verbs on the manager of a swarm of one."""
    swarm_host = Verbs(Run(pyd, host.host))
    swarm_host("swarm", "init", "--advertise-addr", "127.0.0.1", "--listen-addr", "127.0.0.1:2377")
    yield swarm_host
    swarm_host("swarm", "leave", "--force")


STACK = """
services:
  web:
    image: {image}
    command: sh -c "exec sleep 1000"
    environment: {{B: "2", A: "1"}}
    labels: {{tier: front}}
    user: "1000"
    working_dir: /tmp
    hostname: h
    stop_grace_period: 2s
    init: true
    cap_drop: [NET_RAW]
    ulimits: {{nofile: {{soft: 100, hard: 200}}}}
    extra_hosts: ["db:10.0.0.9"]
    dns: [10.0.0.1]
    ports: ["8080:80", {{target: 90, published: 9090, protocol: udp, mode: host}}]
    networks: {{front: {{aliases: [www]}}, back: }}
    volumes: ["data:/data", "/etc:/host/etc:ro", {{type: tmpfs, target: /t, tmpfs: {{size: 65536}}}}]
    secrets: [word, {{source: word, target: again, mode: 0400}}]
    configs: [{{source: motd, target: /tmp/motd}}]
    healthcheck: {{test: "true", interval: 5s, retries: 2}}
    logging: {{driver: json-file, options: {{max-size: 1m}}}}
    deploy:
      replicas: 0
      labels: {{own: label}}
      resources: {{limits: {{cpus: "0.5", memory: 64M, pids: 50}}, reservations: {{memory: 16M}}}}
      restart_policy: {{condition: on-failure, delay: 1s, max_attempts: 2}}
      update_config: {{parallelism: 2, order: start-first}}
      placement: {{constraints: [node.role == manager], max_replicas_per_node: 3}}
  every:
    image: {image}
    deploy: {{mode: global, placement: {{constraints: [node.labels.none == x]}}}}
networks:
  front:
  back: {{internal: true, attachable: true}}
volumes: {{data: {{driver_opts: {{type: tmpfs, device: tmpfs}}}}}}
secrets: {{word: {{file: ./word}}}}
configs: {{motd: {{file: ./motd}}}}
"""


def test_a_stack_is_deployed_as_the_docker_cli_does(verbs: Verbs, host: Docker, tmp_path: Path):
    image = host.image("deployed", busybox_files(), directories=("tmp",))
    file = tmp_path / "compose.yaml"
    file.write_text(STACK.format(image=image))
    (tmp_path / "word").write_text("hush")
    (tmp_path / "motd").write_text("welcome")
    host("stack", "deploy", "--resolve-image", "never", "-c", str(file), "theirs")
    services = {name: spec_of(host, "theirs", name) for name in ("web", "every")}
    networks = {name: network_of(host, "theirs", name) for name in ("front", "back")}
    shown = verbs("stack", "deploy", "-c", str(file), "--dry-run", "ours")
    assert "+ service ours_web" in shown
    assert verbs("stack", "ls", "--format", "{{.Name}}") == "theirs", "a dry run changes nothing"
    host("stack", "rm", "theirs")  # its port is free then
    verbs("stack", "deploy", "-c", str(file), "ours")
    for name, theirs in services.items():
        assert set(spec_of(host, "ours", name)) == set(theirs)
    assert {name: network_of(host, "ours", name) for name in networks} == networks
    again = verbs("stack", "deploy", "-c", str(file), "ours")
    assert {line[0] for line in again.splitlines()} == {"="}
    changed = STACK.format(image=image).replace("replicas: 0", "replicas: 0\n      endpoint_mode: dnsrr")
    changed = changed.replace('A: "1"', 'A: "7"')
    before, _, after = changed.partition("  every:")
    file.write_text(before.replace('"8080:80", ', "") + after[after.index("networks:") :])
    shown = verbs("stack", "deploy", "-c", str(file), "--prune", "ours")
    assert "~ service ours_web\n    environment: A=1 B=2 -> A=7 B=2" in shown
    assert "- service ours_every" in shown
    assert verbs("service", "ls", "--format", "{{.Name}}", "-f", "name=ours").split() == ["ours_web"]
    (tmp_path / "motd").write_text("another welcome")
    refused = verbs.run("stack", "deploy", "-c", str(file), "ours")
    assert (refused.returncode, "contents can't be changed" in refused.stderr) == (1, True)
    verbs("stack", "rm", "ours")


def spec_of(host: Docker, stack: str, name: str) -> list[str]:
    """A service's specification without what is the stack's own: its name, and ids."""
    spec = json.loads(host("service", "inspect", f"{stack}_{name}"))[0]["Spec"]
    container = spec["TaskTemplate"]["ContainerSpec"]
    container["Env"] = sorted(container.get("Env") or [])
    for kind in ("Secret", "Config"):
        for used in container.get(f"{kind}s") or []:
            used[f"{kind}ID"] = ""
    for network in spec["TaskTemplate"]["Networks"]:
        network["Target"] = host("network", "inspect", "-f", "{{.Name}}", network["Target"])
        network["Aliases"] = sorted(network["Aliases"])
    spec["TaskTemplate"]["Networks"].sort(key=lambda network: network["Target"])
    return list(leaves(json.loads(json.dumps(spec, sort_keys=True).replace(stack, "STACK"))))


def leaves(value: object, path: str = "") -> Iterator[str]:
    """Each value at the end of its path, a line each; what says nothing is left out."""
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from leaves(item, f"{path}.{key}")
    elif isinstance(value, list) and value:
        for number, item in enumerate(value):
            yield from leaves(item, f"{path}.{number}")
    elif value not in (None, False, [], {}):
        yield f"{path} = {value!r}"


def network_of(host: Docker, stack: str, name: str) -> object:
    (network,) = json.loads(host("network", "inspect", f"{stack}_{name}"))
    kept = ("Driver", "Internal", "Attachable", "EnableIPv6", "Labels")
    return json.loads(json.dumps({key: network[key] for key in kept}).replace(stack, "STACK"))


def test_a_service_is_given_all_that_may_change(verbs: Verbs, host: Docker):
    image = host.image("given", busybox_files(), directories=("tmp",))
    verbs("secret", "create", "word", "-", stdin=b"hush")
    verbs("secret", "create", "other", "-", stdin=b"hush")
    verbs("config", "create", "motd", "-", stdin=b"welcome")
    verbs("network", "create", "--driver", "overlay", "front")
    probe = ("--health-cmd", "true", "--health-interval", "1s", "--health-retries", "3")
    verbs("service", "create", "--name", "given", "--replicas", "0", *probe, "--secret", "word", image, "sleep", "9")
    added = ("--network-add", "front", "--mount-add", "type=tmpfs,target=/t", "--config-add", "motd")
    verbs(
        "service", "update", *added, "--secret-rm", "word", "--secret-add", "other", "--health-timeout", "2s", "given"
    )
    template = json.loads(host("service", "inspect", "given"))[0]["Spec"]["TaskTemplate"]
    container = template["ContainerSpec"]
    assert container["Healthcheck"] == {
        "Test": ["CMD-SHELL", "true"],
        "Interval": 10**9,
        "Timeout": 2 * 10**9,
        "Retries": 3,
    }
    assert [secret["SecretName"] for secret in container["Secrets"]] == ["other"]
    assert [config["ConfigName"] for config in container["Configs"]] == ["motd"]
    assert [mount["Target"] for mount in container["Mounts"]] == ["/t"]
    assert [net["Target"] for net in template["Networks"]] == [host("network", "inspect", "-f", "{{.Id}}", "front")]
    gone = ("--network-rm", "front", "--mount-rm", "/t", "--config-rm", "motd", "--no-healthcheck")
    verbs("service", "update", *gone, "given")
    template = json.loads(host("service", "inspect", "given"))[0]["Spec"]["TaskTemplate"]
    assert not template.get("Networks")
    assert not {"Mounts", "Configs"} & {name for name, value in template["ContainerSpec"].items() if value}
    assert template["ContainerSpec"]["Healthcheck"]["Test"] == ["NONE"]
    verbs("service", "rm", "given")


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
    rotated = verbs("swarm", "join-token", "--rotate", "-q", "manager")
    assert rotated == host("swarm", "join-token", "-q", "manager") != before
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
    verbs.until(*counted, expected="web 2/2")
    tasks = verbs("service", "ps", "--format", "{{.Name}}", "web").splitlines()
    assert sorted(tasks) == ["web.1", "web.2"]
    assert json.loads(verbs("service", "inspect", "web"))[0]["Spec"]["Name"] == "web"
    verbs.until("service", "logs", "--raw", "web", expected="hushwelcome hello\nhushwelcome hello")
    assert verbs("stack", "ls", "--format", "{{.Name}}") == "shop"
    assert "web" in verbs("stack", "services", "shop")
    assert "web.1" in verbs("stack", "ps", "shop")
    assert "web.1" in verbs("node", "ps", node)
    verbs("service", "scale", "-d", "web=1")
    verbs.until(*counted, expected="web 1/1")
    verbs("service", "update", "-d", "--label-add", "a=b", "web")
    assert json.loads(verbs("service", "inspect", "web"))[0]["Spec"]["Labels"]["a"] == "b"
    verbs("service", "rollback", "web")
    assert "a" not in json.loads(verbs("service", "inspect", "web"))[0]["Spec"]["Labels"]
    verbs("stack", "rm", "shop")
    verbs.until("service", "ls", "-q", expected="")
