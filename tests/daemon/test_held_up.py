"""Requests and builds that blocked version 0.1 for ever, for all clients: the engine keeps answering."""

from __future__ import annotations

import io
import subprocess
import tarfile

import pytest

from support.docker import Docker, environment
from support.pydd import Pydd

pytestmark = pytest.mark.timeout(120)

LINES = 400
PINGS = 30


def context(**files: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text.encode())
            tar.addfile(entry, io.BytesIO(text.encode()))
    return buffer.getvalue()


def ping(pydd: Pydd) -> str:
    command = ["curl", "-s", "--unix-socket", str(pydd.config.socket_path), "http://x/_ping"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_clients_expressions_block_no_other_client(pydd: Pydd, docker: Docker, busybox: str):
    options = ("--network", "none", "--log-opt", "labels-regex=^(a+)+$", "--label", f"{'a' * 60}!=1")
    container = docker.create("regex", busybox, "echo", "hi", options=options)
    docker("start", "-a", container)
    assert docker("logs", "--details", container).endswith("hi")
    assert docker("ps", "-aq", "--filter", "name=(a+)+$") == ""
    assert docker("images", "-q", "--filter", f"reference={'*' * 60}b") == ""
    assert ping(pydd) == "OK"
    docker("rm", container)


@pytest.mark.parametrize(
    "files",
    [
        {"Dockerfile": 'FROM {base}\nENV "' + "\\a" * 60 + "\n"},
        {"Dockerfile": "FROM {base}\n", ".dockerignore": "*" * 60 + "b\n" + "**/" * 60 + "c\n", "a" * 200: ""},
    ],
    ids=["ENV", "dockerignore"],
)
def test_a_repositorys_contents_block_no_other_client(pydd: Pydd, docker: Docker, busybox: str, files: dict[str, str]):
    body = context(**{name: text.replace("{base}", busybox) for name, text in files.items()})
    docker("build", "-", stdin=body, check=False)
    assert ping(pydd) == "OK"


def test_a_long_dockerfile_gives_others_their_turn(pydd: Pydd, docker: Docker, busybox: str):
    """The steps wait for nothing; version 0.1 answered no client until the last of them."""
    lines = "".join(f"ENV A={number}\n" for number in range(LINES))
    body = f"FROM {busybox}\n{lines}LABEL pyd.test={docker.prefix}\n".encode()
    command = [*docker.command, "build", "-t", docker.name("long"), "-"]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment(DOCKER_HOST=docker.host, DOCKER_BUILDKIT="0"),
    ) as build:
        assert build.stdin is not None
        assert build.stdout is not None
        build.stdin.write(body)
        build.stdin.close()
        while b"Step 2/" not in build.stdout.readline():
            pass
        for _ in range(PINGS):
            assert ping(pydd) == "OK"
        assert build.poll() is None
        rest = build.stdout.read()
    assert f"Step {LINES + 2}/".encode() in rest
    docker("rmi", docker.name("long"))
