"""`--error` on messages as the real engine, its command and its programs print them: the troubleshooting table."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from pyd_core.client.engine_choice import choose_endpoint
from pyd_core.client.transport.blocking import blocking_engine, run_now
from pyd_core.triage.checks.explain import explain_error
from pyd_core.triage.verdict import Verdict
from support.docker import Docker
from support.dockerd import Dockerd
from support.missing import missing
from support.scripted_registry import registry

NONE = ("--network", "none")
NOBODY = 65534


def failed(*words: str, user: int | None = None, **environment: str) -> str:
    """Return the error output of a docker command that fails."""
    done = subprocess.run(
        ["docker", *words],
        capture_output=True,
        text=True,
        check=False,
        user=user,
        group=user,
        extra_groups=None if user is None else (),
        cwd="/" if user is not None else None,
        env={**os.environ, "DOCKER_HOST": "unix:///var/run/docker.sock", "HOME": "/", **environment},
    )
    assert done.returncode != 0, done.stdout
    return done.stdout + done.stderr


def explained(message: str, directory: Path = Path("/"), name: str = "") -> Verdict:
    engine = blocking_engine(choose_endpoint(host="unix:///var/run/docker.sock"))
    try:
        verdict = run_now(explain_error(message, engine, directory=directory, name=name))
    finally:
        run_now(engine.aclose())
    assert verdict.evidence, message
    return verdict


def seen(verdict: Verdict) -> str:
    return "\n".join(item.text for item in verdict.evidence)


def test_the_engines_socket(tmp_path: Path) -> None:
    refused = explained(failed("ps", user=NOBODY))
    assert refused.cause == "engine-permission"
    assert "belongs to group" in seen(refused)
    gone = explained(failed("ps", DOCKER_HOST=f"unix://{tmp_path}/none.sock"))
    assert gone.cause == "engine-unreachable"


def test_starting_a_container(docker: Docker, stage_image: str) -> None:
    mark = ("--rm", "--label", f"pyd.test={docker.prefix}", *NONE)
    for words, cause, subject in (
        (("run", *mark, stage_image, "frobnicate"), "command-not-found", "frobnicate"),
        (("run", *mark, stage_image, "/foreign"), "wrong-architecture", "/foreign"),
        (("run", *mark, stage_image, "/plain.txt"), "not-executable", "/plain.txt"),
        (("run", "--prot", stage_image), "usage-error", "--prot"),
        (("run", *mark, "--user", "nobody7", stage_image), "unknown-user", "nobody7"),
        (("run", *mark, stage_image, "dd", "if=/dev/zero", "of=/dev/full"), "no-space", ""),
    ):
        verdict = explained(failed(*words))
        assert verdict.cause == cause, verdict.evidence
        assert subject in verdict.summary


def test_a_port_that_is_taken_names_who_holds_it(docker: Docker, stage_image: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        words = ("run", "--rm", "--label", f"pyd.test={docker.prefix}", "-p", f"127.0.0.1:{port}:80", stage_image)
        verdict = explained(failed(*words))
        assert verdict.cause == "port-conflict"
        assert f"(pid {os.getpid()})" in seen(verdict)


def test_a_name_that_is_taken(docker: Docker, stage_image: str) -> None:
    name = docker.create("taken", stage_image)
    verdict = explained(failed("create", "--name", name, stage_image))
    assert verdict.cause == "name-conflict"
    assert verdict.advice[0] == f"pyd rm {name}"


def test_what_is_in_use(docker: Docker, programs: dict[str, Path]) -> None:
    image = docker.image("used", {"sleeper": programs["sleeper"]})  # with one name: of two, one may go
    network, volume = docker.name("busy"), docker.name("full")
    mark = ("--label", f"pyd.test={docker.prefix}")
    docker("network", "create", *mark, network)
    docker("volume", "create", *mark, volume)
    docker.run("user", image, "/sleeper", options=("--network", network, "-v", f"{volume}:/data"))
    for words, cause, subject in (
        (("network", "rm", network), "network-in-use", network),
        (("volume", "rm", volume), "volume-in-use", volume),
        (("rmi", image), "image-in-use", image),
    ):
        verdict = explained(failed(*words))
        assert verdict.cause == cause, verdict.evidence
        assert subject.partition(":")[0] in verdict.summary


def test_a_subnet_that_is_taken(docker: Docker) -> None:
    mark = ("--label", f"pyd.test={docker.prefix}")
    first = docker("network", "create", *mark, docker.name("first"))
    taken = docker("network", "inspect", "-f", "{{(index .IPAM.Config 0).Subnet}}", first)
    verdict = explained(failed("network", "create", *mark, "--subnet", taken.strip(), docker.name("second")))
    assert verdict.cause == "pool-overlap"


def test_a_client_that_is_too_old_and_an_engine_without_a_swarm() -> None:
    assert explained(failed("ps", DOCKER_API_VERSION="1.12")).cause == "api-version"
    assert explained(failed("node", "ls")).cause == "no-swarm-manager"


def test_an_engine_without_addresses_and_without_its_chains(stage_image: str, docker: Docker) -> None:
    options = ("--default-address-pool=base=10.231.0.0/24,size=25",)
    with Dockerd(options=options) as engine, engine.corner() as corner:
        mark = ("--label", f"pyd.test={corner.prefix}")
        corner("network", "create", *mark, corner.name("only"))
        verdict = explained(failed("network", "create", corner.name("more"), DOCKER_HOST=engine.url))
        assert verdict.cause == "no-free-pool", verdict.evidence
        subprocess.run(["docker", "-H", engine.url, "load", "-q"], input=saved(docker, stage_image), check=True)
        engine.inside("iptables", "-w", "-t", "nat", "-F")
        engine.inside("iptables", "-w", "-t", "nat", "-X", "DOCKER")
        verdict = explained(failed("run", "--rm", "-p", "80", *mark, stage_image, "true", DOCKER_HOST=engine.url))
        assert verdict.cause == "firewall-chain-missing", verdict.evidence


def saved(docker: Docker, image: str) -> bytes:
    return subprocess.run(["docker", "-H", docker.host, "save", image], capture_output=True, check=True).stdout


SERVICES = """
services:
  {name}:
    image: {image}
    command: /sleeper
    network_mode: none
    labels: {{pyd.test: {prefix}}}
"""


def test_what_compose_says(docker: Docker, stage_image: str, tmp_path: Path) -> None:
    if shutil.which("docker-compose") is None:
        missing("docker-compose")
    file, project = tmp_path / "compose.yaml", docker.name("project")
    environ = {**os.environ, "DOCKER_HOST": docker.host}

    def compose(*words: str) -> str:
        command = ["docker-compose", "-f", str(file), "-p", project, *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environ)
        return done.stdout + done.stderr

    file.write_text("services:\n  web:\n    imag: x\n")
    assert explained(compose("up", "-d")).cause == "compose-file"
    file.write_text("services:\n  web: x: y\n")
    assert explained(compose("up", "-d")).cause == "compose-file"
    try:
        for name in ("one", "two"):
            file.write_text(SERVICES.format(name=name, image=stage_image, prefix=docker.prefix))
            output = compose("up", "-d")
        verdict = explained(output)
        assert verdict.cause == "orphan-containers", output
        assert "one" in verdict.summary
    finally:
        compose("down", "-t", "0", "--remove-orphans")


@pytest.mark.parametrize(
    ("status", "code", "cause"),
    [
        (429, "TOOMANYREQUESTS", "pull-rate-limited"),
        (401, "UNAUTHORIZED", "pull-auth"),
        (403, "DENIED", "pull-auth"),
        (404, "MANIFEST_UNKNOWN", "image-not-found"),
    ],
)
def test_a_registry_that_refuses(docker: Docker, status: int, code: str, cause: str) -> None:
    words = "You have reached your pull rate limit" if status == 429 else code.lower().replace("_", " ")
    with registry(status, code, words) as host:
        verdict = explained(failed("pull", f"{host}/team/app:1"))
    assert verdict.cause == cause, seen(verdict)


def test_a_registry_that_does_not_answer(docker: Docker) -> None:
    with socket.create_server(("127.0.0.1", 0)) as once:
        port = once.getsockname()[1]
    assert explained(failed("pull", f"127.0.0.1:{port}/team/app:1")).cause == "registry-unreachable"


def test_a_build_that_misses_a_file(docker: Docker, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY App.py /\n")
    (tmp_path / "app.py").touch()
    message = failed("build", str(tmp_path), DOCKER_BUILDKIT="0")
    verdict = explained(message, tmp_path)
    assert verdict.cause == "build-context"
    assert "write app.py: names are case-sensitive" in verdict.advice
    (tmp_path / "App.py").touch()
    (tmp_path / ".dockerignore").write_text("*.py\n")
    verdict = explained(failed("build", str(tmp_path), DOCKER_BUILDKIT="0"), tmp_path)
    assert verdict.cause == "build-context"
    assert ".dockerignore excludes it: *.py" in seen(verdict)


def test_a_volume_whose_owner_is_another(docker: Docker, stage_image: str) -> None:
    volume = docker.name("theirs")
    docker("volume", "create", "--label", f"pyd.test={docker.prefix}", volume)
    options = (*NONE, "--user", "1000", "-v", f"{volume}:/store")
    name = docker.run("intruder", stage_image, "touch", "/store/x", options=options)
    docker("wait", name)
    verdict = explained(docker_error(docker, name), name=name)
    assert verdict.cause in {"permission-denied", "volume-permission"}
    assert "runs as user 1000" in seen(verdict)
    assert "belongs to 0:0" in seen(verdict)
    assert any(text.startswith("chown -R 1000 ") for text in verdict.advice)


def docker_error(docker: Docker, name: str) -> str:
    done = subprocess.run(["docker", "-H", docker.host, "logs", name], capture_output=True, text=True, check=True)
    return done.stderr


def test_containers_that_cannot_reach_each_other(docker: Docker, stage_image: str) -> None:
    shared, other = docker.name("shared"), docker.name("other")
    for network in (shared, other):
        docker("network", "create", "--label", f"pyd.test={docker.prefix}", network)
    options = ("--network", shared, "--network-alias", "store")
    target = docker.run("store", stage_image, "httpd", "-f", "-p", "127.0.0.1:7000", options=options)
    friend = docker.run("friend", stage_image, "/sleeper", options=("--network", shared))
    stranger = docker.run("stranger", stage_image, "/sleeper", options=("--network", other))
    refused = explained("dial tcp: connect to store:7000: connection refused", name=friend)
    assert refused.cause == "connection-refused"
    assert f"both are on {shared}" in seen(refused)
    assert f"make {target} listen on 0.0.0.0" in refused.advice
    silent = explained("dial tcp store:7001: connect: connection refused", name=friend)
    assert "listen on no TCP port 7001" in seen(silent)
    apart = explained("wget: bad address 'store'", name=stranger)
    assert "they share no network" in seen(apart)
    assert f"pyd network connect {shared} {stranger}" in apart.advice
    itself = explained("dial tcp 127.0.0.1:7000: connect: connection refused", name=friend)
    assert "the container itself" in seen(itself)
    docker("kill", target, friend, stranger)
    docker("rm", target, friend, stranger)
    docker("network", "rm", shared, other)
