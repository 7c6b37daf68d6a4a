"""Builds by the docker CLI, Compose and `pyd build`: Docker Engine's classic builder and the embedded one."""

from __future__ import annotations

import io
import json
import os
import re
import socket
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from support.docker import LABEL, Docker, busybox_files
from support.pydd import Pydd

DOCKERFILE = """
# escape=\\
ARG BASE=nothing
FROM ${BASE} AS first
ARG WHO=world
ENV GREETING="hello $WHO" \\
    # between two lines of one instruction
    OTHER=${WHO:+set}
WORKDIR /app/deep
COPY --chown=7:8 a.txt sub/*.txt ./
RUN echo "$GREETING $OTHER" > made && stat -c '%u:%g' a.txt b.txt >> made
FROM first AS unwanted
RUN false
"""
SECOND = """
ARG BASE
FROM ${BASE} AS first
RUN echo one > /one
ONBUILD RUN echo trigger > /triggered
SHELL ["/bin/sh", "-e", "-c"]
FROM first
COPY --from=first /one /copied/
COPY --from=0 /one /copied/again
ADD tree.tar /unpacked/
COPY . /context
EXPOSE 80 90/udp
VOLUME ["/data"]
USER 5
STOPSIGNAL USR1
HEALTHCHECK --interval=3s CMD true
LABEL one=1 two="2 3"
ENTRYPOINT ["cat"]
CMD ["/copied/one"]
"""


@pytest.fixture(scope="module")
def base(both: Docker) -> str:
    return both.image("base", busybox_files(), 'CMD ["/bin/sh"]', directories=("tmp", "etc"))


@pytest.fixture
def context(tmp_path: Path) -> Path:
    """A directory to build from."""
    (tmp_path / "sub").mkdir()
    for name in ("a.txt", "sub/b.txt", "sub/left.out"):
        (tmp_path / name).write_text(f"{name}\n")
    (tmp_path / ".dockerignore").write_text("**/*.out\nDockerfile*\n")
    with tarfile.open(tmp_path / "tree.tar", "w") as tar:
        entry = tarfile.TarInfo("in/f")
        entry.size = 4
        tar.addfile(entry, io.BytesIO(b"tar\n"))
    (tmp_path / "Dockerfile").write_text(DOCKERFILE)
    (tmp_path / "Dockerfile.second").write_text(SECOND)
    return tmp_path


def build(docker: Docker, *arguments: str, exit_code: int = 0) -> str:
    """Build by the classic builder and return all that was printed."""
    label = ("--label", f"{LABEL}={docker.prefix}")
    environ = {**os.environ, "DOCKER_HOST": docker.host, "DOCKER_BUILDKIT": "0"}
    command = ["docker", "build", "--network", "none", *label, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environ)
    assert done.returncode == exit_code, done.stdout + done.stderr
    return done.stdout + done.stderr


def run(docker: Docker, image: str, *command: str, options: tuple[str, ...] = ()) -> str:
    return docker("run", "--rm", "--network", "none", *options, image, *command)


def test_arguments_variables_owners_and_a_target(both: Docker, base: str, context: Path):
    name = f"{both.name('target')}:1"
    given = ("-t", name, "--target", "first", "--build-arg", f"BASE={base}", "--build-arg", "WHO=me", str(context))
    output = build(both, *given)
    assert "Successfully built" in output
    assert f"Successfully tagged {name}" in output
    assert run(both, name, "cat", "made") == "hello me set\n7:8\n7:8"
    config = both.inspect(name)["Config"]
    assert config["WorkingDir"] == "/app/deep"
    assert {"GREETING=hello me", "OTHER=set"} <= set(config["Env"])
    assert not [entry for entry in config["Env"] if entry.startswith("WHO")]
    assert config["Labels"][LABEL] == both.prefix


def test_the_second_time_every_step_is_in_the_cache_until_a_file_changes(both: Docker, base: str, context: Path):
    name = f"{both.name('cached')}:1"
    given = ("-t", name, "--target", "first", "--build-arg", f"BASE={base}", "--build-arg", "WHO=cached", str(context))
    build(both, *given)
    first = both.inspect(name)["Id"]
    os.utime(context / "a.txt", (1, 1))  # times don't count
    output = build(both, *given)
    assert (output.count("Using cache"), "Running in" in output) == (6, False) or both.inspect(name)["Id"] == first
    assert both.inspect(name)["Id"] == first
    (context / "a.txt").write_text("changed\n")
    assert "Running in" in build(both, *given)
    assert both.inspect(name)["Id"] != first
    assert run(both, name, "cat", "a.txt") == "changed"
    assert "Using cache" not in build(both, "--no-cache", *given)


def test_stages_archives_triggers_and_all_that_configures(both: Docker, base: str, context: Path):
    name = f"{both.name('stages')}:1"
    build(both, "-t", name, "-f", str(context / "Dockerfile.second"), "--build-arg", f"BASE={base}", str(context))
    assert run(both, name) == "one"
    script = "cat /copied/again /triggered /unpacked/in/f; cd /context; find . -type f | sort; id -u"
    shell = ("--entrypoint", "/bin/sh")
    lines = run(both, name, "-c", script, options=shell).split("\n")
    assert lines == ["one", "trigger", "tar", "./.dockerignore", "./a.txt", "./sub/b.txt", "./tree.tar", "5"]
    config = both.inspect(name)["Config"]
    assert (config["Entrypoint"], config["Cmd"], config["User"]) == (["cat"], ["/copied/one"], "5")
    assert set(config["ExposedPorts"]) == {"80/tcp", "90/udp"}
    assert set(config["Volumes"]) == {"/data"}
    assert config["StopSignal"] == "USR1"
    assert (config["Healthcheck"]["Test"], config["Healthcheck"]["Interval"]) == (["CMD-SHELL", "true"], 3 * 10**9)
    assert (config["Labels"]["one"], config["Labels"]["two"]) == ("1", "2 3")
    assert config["Shell"] == ["/bin/sh", "-e", "-c"]
    assert not config["OnBuild"]
    assert "COPY" in both("history", "--no-trunc", name)


@pytest.mark.parametrize(
    "case",
    [
        ("FROM {base}\nRUN echo before; exit 3\n", 3, "before(.|\n)*returned a non-zero code: 3"),
        ("FROM {base}\nRUN nosuchcommand\n", 127, "returned a non-zero code: 127"),
        ("FROM {base}\nNOSUCH x\n", 1, "unknown instruction: NOSUCH"),
        ("RUN true\n", 1, "no build stage in current context"),
        ("FROM {base}\nCOPY nosuch /\n", 1, "nosuch"),
        ("FROM {base}\nCOPY ../outside /\n", 1, "outside"),
        ("FROM {base}\nCOPY a.txt sub/b.txt /there\n", 1, "must be a directory and end with a /"),
        ("FROM {base}\nCOPY --from=9 a /\n", 1, "invalid from flag value 9"),
        ("FROM {base}\nRUN --mount=type=cache,target=/x true\n", 1, "requires BuildKit"),
        ("FROM {base}\nENV x\n", 1, "ENV"),
        ("FROM {base}\nUSER ${{nosuch:?is missing}}\n", 1, "is missing"),
        ("FROM\n", 1, "FROM requires"),
        ("FROM 127.0.0.1:1/no/such:1\n", 1, "127.0.0.1:1"),
        ("FROM {base}\n\nNOSUCH x\n", 1, "dockerfile parse error on line 3: unknown instruction: NOSUCH"),
        ("FROM {base}\nONBUILD\n", 1, "parse error on line 2: ONBUILD requires at least one argument"),
        ("FROM {base}\nENV =\n", 1, "ENV names can not be blank"),
        ("FROM {base}\nLABEL =\n", 1, "LABEL names can not be blank"),
        ("FROM {base}\nARG =x\n", 1, "ARG names can not be blank"),
        ("FROM {base}\nCOPY --from=0 a /\n", 1, "invalid from flag value 0: refers to current build stage"),
        ("FROM {base} AS 1\nCOPY --from=1 a /\n", 1, "invalid name for build stage"),
        ("FROM {base}\nRUN touch /f\nVOLUME /f\n", 1, r"cannot mount volume over existing file, file exists \S*/f\n"),
        ("FROM {base}\nADD broken.tar /\n", 1, ""),
        ("", 1, "empty"),
    ],
)
def test_a_failed_build_reports_the_error_and_the_exit_code(
    both: Docker, context: Path, case: tuple[str, int, str], base: str
):
    text, code, pattern = case
    (context / "Dockerfile").write_text(text.format(base=base))
    (context / "broken.tar").write_bytes((context / "tree.tar").read_bytes()[: 2 * 512 + 1023])  # its end is cut short
    output = build(both, "--force-rm", str(context), exit_code=code)
    assert re.search(pattern, output), output
    assert "Traceback" not in output


def test_a_target_that_is_not_there(both: Docker, base: str, context: Path):
    output = build(both, "--target", "nowhere", "--build-arg", f"BASE={base}", str(context), exit_code=1)
    assert 'target stage "nowhere" could not be found' in output


def test_compose_builds_what_it_starts(both: Docker, base: str, context: Path):
    (context / "compose.yml").write_text(
        f"""
services:
  web:
    build: {{context: ., target: first, network: none, args: {{BASE: "{base}", WHO: composed}}}}
    network_mode: none
    command: ["sh", "-c", "cat made; sleep 1000"]
    stop_signal: KILL
"""
    )
    project = both.name("composed")
    environ = {**os.environ, "DOCKER_HOST": both.host, "DOCKER_BUILDKIT": "0"}

    def compose(*arguments: str) -> str:
        command = ["docker-compose", "-p", project, "-f", str(context / "compose.yml"), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environ)
        assert done.returncode == 0, done.stderr
        return done.stdout

    try:
        compose("up", "-d", "--build", "--wait")
        assert "hello composed set" in compose("logs", "web")
    finally:
        compose("down", "-v", "-t", "0", "--rmi", "local")
    assert both("ps", "-aq", "--filter", f"label=com.docker.compose.project={project}") == ""


def test_our_own_command_builds_the_same(both: Docker, base: str, context: Path):
    name = f"{both.name('own')}:1"
    command = [sys.executable, "-m", "pyd_tui", "-H", both.host, "build", "-t", name, "--target", "first"]
    given = [
        *command,
        "--network",
        "none",
        "--label",
        f"{LABEL}={both.prefix}",
        "--build-arg",
        f"BASE={base}",
        str(context),
    ]
    done = subprocess.run(given, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert run(both, name, "head", "-n1", "made") == "hello world set"
    (context / "Dockerfile").write_text(f"FROM {base}\nRUN exit 3\n")
    failed = subprocess.run(
        [*command[:-2], "--network", "none", str(context)], capture_output=True, text=True, check=False
    )
    assert failed.returncode != 0
    assert re.search("exit code: 3|non-zero code: 3", failed.stderr)  # BuildKit's words, and the classic builder's


# What follows is the embedded engine's alone.


def packed(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for entry, body in members:
            entry.size = len(body)
            tar.addfile(entry, io.BytesIO(body))
    return buffer.getvalue()


def link(name: str, target: str) -> tuple[tarfile.TarInfo, bytes]:
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = tarfile.SYMTYPE, target
    return entry, b""


def post(engine: Pydd, body: bytes, **query: str) -> httpx.Response:
    with httpx.Client(transport=httpx.HTTPTransport(uds=str(engine.config.socket_path)), timeout=60) as client:
        return client.post("http://engine/build", params=query, content=body)


def left(engine: Pydd, docker: Docker) -> tuple[list[str], list[str], str]:
    """Contexts, spooled files and containers that a build has left."""
    home = engine.config.root
    contexts = sorted(path.name for path in (home / "build").iterdir())
    return contexts, sorted(path.name for path in (home / "blobs/spool").iterdir()), docker("ps", "-aq")


def test_hostile_contexts_reach_nothing_outside(pydd: Pydd, docker: Docker, busybox: str, tmp_path: Path):
    (tmp_path / "secret").write_text("secret")
    before = docker("ps", "-aq")
    file = (tarfile.TarInfo("Dockerfile"), f"FROM {busybox}\nCOPY out/secret /\n".encode())
    answer = post(pydd, packed(file, link("out", str(tmp_path))))
    assert "file does not exist" in json.loads(answer.text.splitlines()[-1])["error"]
    answer = post(pydd, packed(link("Dockerfile", str(tmp_path / "secret"))))
    assert (answer.status_code, "Cannot locate specified Dockerfile" in answer.text) == (400, True)
    answer = post(pydd, packed((tarfile.TarInfo("../x"), b"")))
    assert (answer.status_code, "leads out" in answer.text) == (400, True)
    for body in (b"no archive at all", packed(file)[:530], b""):
        assert post(pydd, body).status_code == 400
    inside = (
        f"FROM {busybox}\nRUN mkdir -p {tmp_path}; ln -s {tmp_path} /out\nCOPY x /out/planted\nRUN cat /out/planted\n"
    )
    dockerfile = (tarfile.TarInfo("Dockerfile"), inside.encode())
    answer = post(pydd, packed(dockerfile, (tarfile.TarInfo("x"), b"x")), forcerm="1")
    assert "Successfully built" in answer.text
    assert not (tmp_path / "planted").exists()  # made in the image, where the link leads there
    assert left(pydd, docker) == ([], [], before)
    docker("image", "prune", "-f")


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ({"remote": "git://127.0.0.1:1/x"}, 400, "unable to connect"),
        ({"remote": "ssh://git@127.0.0.1/x"}, 501, "repositories"),
        ({"remote": "http://127.0.0.1:1/x.git#branch"}, 400, "unable to access"),
        ({"remote": "/etc/passwd"}, 400, "no address"),
        ({"buildargs": "{"}, 400, "buildargs"),
        ({"ulimits": "[1]"}, 400, "ulimits"),
        ({"memory": "x"}, 400, "memory"),
        ({"t": "UPPER"}, 400, "invalid reference format"),
        ({"dockerfile": "../../etc/passwd"}, 400, "Cannot locate"),
        ({"target": "nosuch"}, 400, "could not be found"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(
    pydd: Pydd, busybox: str, query: dict[str, str], status: int, words: str
):
    answer = post(pydd, packed((tarfile.TarInfo("Dockerfile"), f"FROM {busybox}\n".encode())), **query)
    assert (answer.status_code, words in answer.text) == (status, True), answer.text


@contextmanager
def begun(engine: Pydd, image: str) -> Iterator[None]:
    """Has a client wait for a step that doesn't end."""
    body = packed((tarfile.TarInfo("Dockerfile"), f"FROM {image}\nRUN echo begun; sleep 1000\n".encode()))
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(30)
        client.connect(str(engine.config.socket_path))
        client.sendall(f"POST /build HTTP/1.1\r\nHost: e\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        received = b""
        while b"begun\\n" not in received:
            received += client.recv(4096)
        yield


def test_a_client_that_leaves_takes_its_build_with_it(pydd: Pydd, docker: Docker, busybox: str):
    before = docker("ps", "-aq")
    steps = pydd.config.run / "build"
    with begun(pydd, busybox):
        assert list(steps.iterdir())
    for _ in range(100):  # asking is what takes the time in which it takes them away
        if left(pydd, docker) == ([], [], before) and not list(steps.iterdir()):
            break
    assert (left(pydd, docker), list(steps.iterdir())) == (([], [], before), [])


def test_an_engine_that_was_killed_takes_a_builds_containers_away_when_it_starts():
    with Pydd.started() as engine, Docker(host=engine.host) as docker:
        image = docker.image("killed", busybox_files(), 'CMD ["/bin/sh"]', directories=("tmp",))
        with begun(engine, image):
            engine.kill()
        engine.start()
        for _ in range(100):  # asking is what takes the time in which it takes them away
            if docker("ps", "-aq") == "":
                break
        assert docker("ps", "-aq") == ""
        assert not (engine.config.root / "build").exists()
