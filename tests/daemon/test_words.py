"""Refusals of commands, in Docker Engine's words on both engines: people and scripts know them."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import os
import re
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

import pyd_core
from support.docker import LABEL, LONE, Docker, busybox_files, environment, layer
from support.pydd import Pydd

NOWHERE = "127.0.0.1:1"
"""A port nothing listens on."""
TIMEOUT_S = 120.0
"""Seconds in which a container that ends again and again is met between two starts."""


@pytest.fixture(scope="module")
def image(both: Docker) -> str:
    return both.image("words", busybox_files(), 'CMD ["/bin/sh"]', directories=("tmp", "etc"))


def refused(docker: Docker, *arguments: str, stdin: bytes = b"") -> str:
    """Run a command that must fail, and return its error message."""
    environ = environment(DOCKER_HOST=docker.host, DOCKER_BUILDKIT="0")
    done = subprocess.run(["docker", *arguments], input=stdin, capture_output=True, check=False, env=environ)
    assert done.returncode != 0, done.stdout
    return done.stderr.decode()


def test_a_new_name_that_is_none_is_refused(both: Docker, image: str):
    name = both.create("named", image, options=LONE)
    own = "Renaming a container with the same name as its current name"
    assert own in refused(both, "rename", name, name)
    assert own in refused(both, "rename", name, f"/{name}")
    bad = r"Error when allocating new name: Invalid container name \(/?x y\), only \S+ are allowed"
    assert re.search(bad, refused(both, "rename", name, "x y"))
    assert both.inspect(name)["Name"] == f"/{name}"
    both("rm", name)


def test_a_missing_path_is_reported_as_the_client_wrote_it(both: Docker, image: str, tmp_path: Path):
    name = both.create("files", image, options=LONE)
    short = both.inspect(name)["Id"][:12]
    for path in ("/nosuch", "/nosuch/", "nosuch/a/../b"):
        assert f"Could not find the file {path} in container {name}\n" in refused(both, "cp", f"{name}:{path}", "-")
    assert f"Could not find the file /nosuch in container {short}\n" in refused(both, "cp", f"{short}:/nosuch", "-")
    (tmp_path / "f").touch()
    error = refused(both, "cp", str(tmp_path / "f"), f"{name}:/nosuch/f")
    assert f"Could not find the file /nosuch in container {name}\n" in error
    both("rm", name)


def test_a_paused_container_refuses_removal_and_exec(both: Docker, image: str):
    name = both.run("paused", image, "sleep", "1000", options=LONE)
    short = both.inspect(name)["Id"][:12]
    both("pause", name)
    error = refused(both, "rm", name)
    assert f'cannot remove container "/{name}": container is paused and must be unpaused first' in error
    for reference in (name, short):
        error = refused(both, "exec", reference, "true")
        assert f"Container {reference} is paused, unpause the container before exec" in error
    both("unpause", name)
    error = refused(both, "rm", name)
    assert "container is running: stop the container before removing or force remove" in error
    both("rm", "-f", name)


@pytest.mark.parametrize("verb", ["rm", "exec", "pause"])
def test_a_restarting_container_refuses_removal_exec_and_pause(both: Docker, image: str, verb: str):
    name = both.run("again", image, "false", options=(*LONE, "--restart", "always"))
    words = f"Container {both.inspect(name)['Id']} is restarting, wait until the container is running"
    if verb == "rm":
        words = f'"/{name}": container is restarting: stop the container before removing or force remove'
    command = (verb, name, *(("true",) if verb == "exec" else ()))
    late = time.monotonic() + TIMEOUT_S
    while words not in (error := error_of(both, *command)):
        assert time.monotonic() < late, error
        error_of(both, "unpause", name)  # it may have run just then
    both("rm", "-f", name)


def test_a_kill_ends_the_restarts_of_a_container(both: Docker, image: str):
    name = both.run("ending", image, "false", options=(*LONE, "--restart", "always"))
    late = time.monotonic() + TIMEOUT_S
    while both.inspect(name)["State"]["Status"] != "restarting":
        assert time.monotonic() < late
    both("kill", name)
    state = both.inspect(name)["State"]
    assert (state["Status"], state["Running"], state["Restarting"]) == ("exited", False, False)
    both("rm", name)


def test_a_start_by_hand_counts_restarts_from_the_beginning(both: Docker, image: str):
    name = both.run("counted", image, "false", options=(*LONE, "--restart", "on-failure:2"))
    for _ in range(2):
        late = time.monotonic() + TIMEOUT_S
        while (info := both.inspect(name))["State"]["Status"] != "exited" or info["RestartCount"] < 2:
            assert time.monotonic() < late, info["State"]
        both("start", name)
        assert both.inspect(name)["RestartCount"] < 2
    both("rm", "-f", name)


def error_of(docker: Docker, *arguments: str) -> str:
    """Run a command that may find the container running just then, and return its error message, if any."""
    environ = environment(DOCKER_HOST=docker.host)
    return subprocess.run(["docker", *arguments], capture_output=True, check=False, env=environ).stderr.decode()


@pytest.mark.parametrize(
    "command",
    [
        ("pull", f"{NOWHERE}/nosuch:1"),
        ("login", "-u", "someone", "-p", "secret", NOWHERE),
    ],
    ids=lambda command: command[0],
)
def test_an_error_names_the_registry_that_does_not_listen(both: Docker, command: tuple[str, ...]):
    error = refused(both, *command)
    assert (NOWHERE in error, "connection refused" in error, "attempts" in error) == (True, True, False)


def test_an_import_from_a_name_that_does_not_exist(both: Docker):
    message = refused(both, "import", "https://nosuch.invalid/bad")
    assert ("dial tcp" in message, "nosuch.invalid" in message, "no such host" in message) == (True, True, True)


def test_a_push_and_an_address_that_does_not_listen(both: Docker, image: str):
    name = f"{NOWHERE}/{both.prefix}:1"
    both("tag", image, name)
    error = refused(both, "push", name)
    assert (NOWHERE in error, "connection refused" in error, "attempts" in error) == (True, True, False)
    both("rmi", name)
    error = refused(both, "build", "-", stdin=f"FROM {image}\nADD http://{NOWHERE}/file /\n".encode())
    assert (NOWHERE in error, "connection refused" in error, "attempts" in error) == (True, True, False)


def test_a_container_on_the_default_bridge_reports_its_endpoint(both: Docker, image: str):
    name = both.run("bridged", image, "sleep", "1000", options=("--stop-signal", "KILL"))
    settings = both.inspect(name)["NetworkSettings"]
    assert settings["EndpointID"] == settings["Networks"]["bridge"]["EndpointID"] != ""
    both("rm", "-f", name)


def test_an_invalid_archive_is_reported_in_plain_words(pydd: Pydd, docker: Docker, busybox: str, tmp_path: Path):
    file = tmp_path / "no.tar"
    file.write_bytes(b"c 'mount\n" * 200)
    name = docker.run("plain", busybox, "sleep", "1000", options=LONE)
    (tmp_path / "x").touch()
    messages = (
        refused(docker, "load", "-i", str(file)),
        refused(docker, "import", str(file)),
        refused(docker, "cp", str(tmp_path / "x"), f"{name}:/proc/x"),
    )
    docker("rm", "-f", name)
    for message in messages:
        assert not re.search(r"\bb['\"]|\[Errno|Error\b(?! response)", message), message
    assert "no tar archive" in messages[0]
    assert "can't unpack 'x': no such file or directory" in messages[2]


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress])
def test_an_archive_cut_off_within_what_is_compressed_is_the_senders_fault(
    pydd: Pydd, docker: Docker, busybox: str, compress: Callable[[bytes], bytes]
):
    cut = compress(layer({"f": os.urandom(1 << 16)}))[: 1 << 15]
    name = docker.create("cut", busybox, options=LONE)
    with httpx.Client(transport=httpx.HTTPTransport(uds=str(pydd.config.socket_path)), timeout=60) as client:
        for method, path in (("PUT", f"containers/{name}/archive?path=/"), ("POST", "build")):
            answer = client.request(method, f"http://engine/{path}", content=cut)
            message = answer.json()["message"]
            assert (answer.status_code, message.startswith("can't decompress: ")) == (400, True), message
    docker("rm", name)


@pytest.mark.parametrize(
    ("command", "what"),
    [
        (("swarm", "init"), "a swarm needs Docker Engine"),
        (("service", "ls"), "a swarm needs Docker Engine"),
        (("plugin", "install", "x"), "plugins need Docker Engine"),
        (("network", "create", "-d", "overlay", "x"), "a swarm needs Docker Engine"),
    ],
)
def test_an_unsupported_command_names_the_engine_that_supports_it(docker: Docker, command: tuple[str, ...], what: str):
    assert f"not served by this engine: {what}\n" in refused(docker, *command)


def test_the_engine_reports_its_name_and_the_versions_of_its_components(pydd: Pydd, docker: Docker):
    server = json.loads(docker("version", "-f", "{{json .Server}}"))
    assert server["Platform"]["Name"] == "pydd"
    parts = {part["Name"]: part["Version"] for part in server["Components"]}
    assert parts.pop("Engine") == pyd_core.__version__
    runtime = json.loads(docker("info", "-f", "{{json .}}"))["DefaultRuntime"]
    assert set(parts) == {runtime, "conmon"}
    for name, version in parts.items():
        output = subprocess.run([name, "--version"], capture_output=True, text=True, check=True).stdout
        assert version in output.splitlines()[0].split()
    with httpx.Client(transport=httpx.HTTPTransport(uds=str(pydd.config.socket_path)), timeout=60) as client:
        commit = client.get("http://engine/info").json()["RuncCommit"]
    assert commit["ID"].split()[-1] == parts[runtime]
    assert commit["ID"] == commit["Expected"]


def test_history_has_a_builds_steps_in_docker_engines_words(both: Docker, image: str):
    name = f"{both.name('history')}:1"
    steps = """
ARG X=1
ARG Y
ENV Y=$X
CMD ["echo $Y", "a\\"b"]
ENTRYPOINT ["sh", "-c"]
VOLUME /v /w
VOLUME ["/z"]
SHELL ["/bin/sh", "-ec"]
CMD echo b
WORKDIR /t
"""
    file = f"FROM {image}\nLABEL {LABEL}={both.prefix}\n{steps}".encode()
    environ = environment(DOCKER_HOST=both.host, DOCKER_BUILDKIT="0")
    subprocess.run(["docker", "build", "-t", name, "-"], input=file, capture_output=True, check=True, env=environ)
    lines = both("history", "--no-trunc", "--format", "{{.CreatedBy}}", name).splitlines()[::-1][1:]  # after the label
    nop = "/bin/sh -c #(nop) "
    assert [line.rstrip() for line in lines] == [
        f"{nop} ARG X=1",
        f"{nop} ARG Y",
        f"{nop} ENV Y=1",
        f'{nop} CMD ["echo $Y" "a\\"b"]',
        f'{nop} ENTRYPOINT ["sh" "-c"]',
        f"{nop} VOLUME [/v /w]",
        f"{nop} VOLUME [/z]",
        "/bin/sh -ec #(nop)  SHELL [/bin/sh -ec]",
        '/bin/sh -ec #(nop)  CMD ["/bin/sh" "-ec" "echo b"]',
        "/bin/sh -ec #(nop) WORKDIR /t",
    ]
    both("rmi", name)


def test_a_changed_argument_leaves_the_steps_before_its_first_command_in_the_cache(both: Docker, image: str):
    file = f"FROM {image}\nLABEL {LABEL}={both.prefix}\nARG WHO=me\nENV A=b\nRUN echo $WHO > /who\n".encode()
    environ = environment(DOCKER_HOST=both.host, DOCKER_BUILDKIT="0")

    def cached(*options: str) -> int:
        command = ["docker", "build", "--network", "none", "-t", f"{both.name('given')}:1", *options, "-"]
        done = subprocess.run(command, input=file, capture_output=True, check=True, env=environ)
        return done.stdout.count(b"Using cache")

    cached()
    assert cached() == 4
    assert cached("--build-arg", "WHO=you") == 3
    file = file.replace(b"WHO=me", b"WHO=them")
    assert cached() == 1
    both("rmi", "-f", f"{both.name('given')}:1")


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ("COPY nosuch /", "COPY failed: {where}stat nosuch: file does not exist"),
        ("ADD there nosuch /x/", "ADD failed: {where}stat nosuch: file does not exist"),
        ("COPY no*such /x/", "COPY failed: no source files were specified"),
        ("COPY --from={image} /nosuch /", "COPY failed: stat nosuch: file does not exist"),
    ],
)
def test_a_file_that_cannot_be_copied_is_reported(both: Docker, image: str, tmp_path: Path, step: str, words: str):
    """By `-f -`, for which the docker client makes an archive whose last member isn't padded."""
    (tmp_path / "there").touch()
    file = f"FROM {image}\n{step.format(image=image)}\n".encode()
    error = refused(both, "build", "--force-rm", "-f", "-", str(tmp_path), stdin=file)
    where = "file not found in build context or excluded by .dockerignore: "
    assert words.format(where=where) in error


def test_a_dockerfile_from_standard_input_is_built_with_a_directory(both: Docker, image: str, tmp_path: Path):
    (tmp_path / "there").write_text("here")
    name = f"{both.name('stdin')}:1"
    environ = environment(DOCKER_HOST=both.host, DOCKER_BUILDKIT="0")
    file = f"FROM {image}\nLABEL {LABEL}={both.prefix}\nCOPY there no*such /x/\n".encode()
    command = ["docker", "build", "-t", name, "-f", "-", str(tmp_path)]
    subprocess.run(command, input=file, capture_output=True, check=True, env=environ)
    assert both("run", "--rm", "--network", "none", name, "cat", "/x/there") == "here"
    both("rmi", name)
