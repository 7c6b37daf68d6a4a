"""Contexts that are Git repositories, from servers of the test's own: git's for HTTP and its daemon, on loopback."""

from __future__ import annotations

import os
import shutil
import socket
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from support.docker import Docker, busybox_files
from support.missing import missing
from support.pydd import Pydd
from support.staging import wait_until

CONFIGURED = {
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_AUTHOR_NAME": "a",
    "GIT_AUTHOR_EMAIL": "a@host.example",
    "GIT_COMMITTER_NAME": "a",
    "GIT_COMMITTER_EMAIL": "a@host.example",
}


def git(repository: Path, *arguments: str, stdin: str = "") -> str:
    command = ["git", "-c", "protocol.file.allow=always", *arguments]
    environment = {**os.environ, **CONFIGURED}
    return subprocess.run(
        command, cwd=repository, check=True, capture_output=True, text=True, input=stdin, env=environment
    ).stdout.strip()


@dataclass
class Served:
    """Repositories, and where they are served.

    Attributes:
        home: Where they lie.
        http: By git's own protocol over HTTP; below `/files` as files alone, `/secret` wants a password.
        git: By git's daemon.
        held: Set once a client has requested a path below `/held`, which gets no answer.
    """

    home: Path
    http: str
    git: str
    held: threading.Event

    def repository(self, name: str) -> Path:
        repository = self.home / name
        repository.mkdir()
        git(repository, "init", "-q", "-b", "master")
        return repository


def commit(repository: Path, **files: str) -> str:
    for name, text in files.items():
        (repository / name).parent.mkdir(parents=True, exist_ok=True)
        (repository / name).write_text(text)
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "--allow-empty", "-m", "more")
    git(repository, "update-server-info")
    return git(repository, "rev-parse", "HEAD")


def _backend(handler: BaseHTTPRequestHandler, home: Path) -> tuple[int, list[tuple[str, str]], bytes]:
    path, _, query = handler.path.partition("?")
    if path.startswith("/files/"):
        file = home / path.removeprefix("/files/").replace(".git/", "/.git/", 1)
        return (200, [], file.read_bytes()) if file.is_file() else (404, [], b"")
    body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
    environment = {
        **os.environ,
        **CONFIGURED,
        "GIT_PROJECT_ROOT": str(home),
        "GIT_HTTP_EXPORT_ALL": "1",
        "PATH_INFO": path.replace(".git/", "/.git/", 1),
        "QUERY_STRING": query,
        "REQUEST_METHOD": handler.command,
        "CONTENT_TYPE": handler.headers.get("Content-Type", ""),
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_CONTENT_ENCODING": handler.headers.get("Content-Encoding", ""),
        "GIT_PROTOCOL": handler.headers.get("Git-Protocol", ""),
    }
    answer = subprocess.run(["git", "http-backend"], input=body, capture_output=True, check=True, env=environment)
    head, _, content = answer.stdout.partition(b"\r\n\r\n")
    fields = [(name, value.strip()) for name, _, value in (line.partition(":") for line in head.decode().splitlines())]
    status = next((int(value[:3]) for name, value in fields if name == "Status"), 200)
    return status, [(name, value) for name, value in fields if name != "Status"], content


@contextmanager
def listening(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    if shutil.which("git") is None:
        missing("git")
    home = tmp_path_factory.mktemp("repositories")
    held, finished = threading.Event(), threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            status, fields, content = 401, [("WWW-Authenticate", "Basic realm=x")], b""
            if self.path.startswith("/held/"):
                held.set()
                finished.wait()
            if not self.path.startswith("/secret/"):
                status, fields, content = _backend(self, home)
            self.send_response(status)
            for name, value in fields:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_HEAD = do_POST = answer  # noqa: N815

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    class Daemon(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            command = ["git", "daemon", "--inetd", "--export-all", f"--base-path={home}", "--log-destination=none"]
            subprocess.run(command, stdin=self.request, stdout=self.request, check=False, env=os.environ | CONFIGURED)

    with (
        ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http,
        socketserver.ThreadingTCPServer(("127.0.0.1", 0), Daemon) as daemon,
        listening(http),
        listening(daemon),
    ):
        addresses = [f"127.0.0.1:{server.server_address[1]}" for server in (http, daemon)]
        try:
            yield Served(home, f"http://{addresses[0]}", f"git://{addresses[1]}", held)
        finally:
            finished.set()


@pytest.fixture(scope="module")
def base(both: Docker) -> str:
    return both.image("busybox", busybox_files(), 'CMD ["/bin/sh"]', directories=("tmp", "etc"))


def build(host: str, url: str, **query: str) -> httpx.Response:
    transport = httpx.HTTPTransport(uds=host.removeprefix("unix://"))
    with httpx.Client(transport=transport, timeout=120) as client:
        return client.post("http://engine/build", params={"remote": url, "rm": "1", **query})


def output_of_built(docker: Docker, url: str, *command: str) -> str:
    """Return the output of a command in the image that is built from a repository."""
    tag = docker.name("fromgit")
    answer = build(docker.host, url, t=tag)
    assert "Successfully built" in answer.text, answer.text
    output = docker("run", "--rm", "--network", "none", tag, *(command or ("cat", "/made")))
    docker("rmi", "-f", tag)
    return output


def left(engine: Pydd) -> list[str]:
    return [path.name for path in (engine.config.root / "build").glob("*")]


def test_branch_tag_revision_and_directory_choose_what_is_built(both: Docker, base: str, served: Served):
    repository = served.repository(both.name("choose"))
    dockerfile = f"FROM {base}\nCOPY file /made\n"
    first = commit(repository, Dockerfile=dockerfile, file="first")
    git(repository, "tag", "v1")
    commit(repository, file="second", **{"sub/Dockerfile": dockerfile, "sub/file": "below"})
    git(repository, "checkout", "-q", "-b", "side")
    commit(repository, file="side")
    git(repository, "checkout", "-q", "master")
    for url in (f"{served.http}/{repository.name}.git", f"{served.git}/{repository.name}"):
        for fragment, expected in (
            ("", "second"),
            ("#side", "side"),
            ("#v1", "first"),
            ("#refs/heads/side", "side"),
            (f"#{first}", "first"),
            ("#:sub", "below"),
            ("#side:/sub/", "below"),
        ):
            assert output_of_built(both, url + fragment) == expected, url + fragment


def test_a_server_of_plain_files_works_too(both: Docker, base: str, served: Served):
    repository = served.repository(both.name("files"))
    commit(repository, Dockerfile=f"FROM {base}\nCOPY file /made\n", file="by files")
    assert output_of_built(both, f"{served.http}/files/{repository.name}.git#master") == "by files"


def test_submodules_come_with_their_repository(both: Docker, base: str, served: Served):
    inner, repository = served.repository(both.name("inner")), served.repository(both.name("outer"))
    commit(inner, file="inner")
    git(repository, "submodule", "add", "-q", str(inner), "part")
    git(repository, "config", "-f", ".gitmodules", "submodule.part.url", f"../{inner.name}")
    commit(repository, Dockerfile=f"FROM {base}\nCOPY part/file /made\n")
    assert output_of_built(both, f"{served.git}/{repository.name}") == "inner"


def test_both_clients_build_from_a_repository(docker: Docker, busybox: str, served: Served):
    """The docker client clones it on its own; pyd has the engine do it."""
    repository = served.repository(docker.name("clients"))
    commit(repository, **{"sub/Dockerfile": f"FROM {busybox}\nCOPY file /made\n", "sub/file": "for clients"})
    url = f"{served.http}/{repository.name}.git#master:sub"
    pyd = str(Path(sys.executable).with_name("pyd"))
    for command in (["docker"], [pyd]):
        environment = {**os.environ, "DOCKER_HOST": docker.host, "DOCKER_BUILDKIT": "0"}
        done = subprocess.run(
            [*command, "build", "-q", url], capture_output=True, text=True, check=False, env=environment
        )
        assert done.returncode == 0, done.stderr
        image = done.stdout.strip()
        assert docker("run", "--rm", "--network", "none", image, "cat", "/made") == "for clients"
    docker("rmi", "-f", image)


def test_the_same_revision_is_built_from_the_cache_and_git_has_left_nothing_in_it(
    pydd: Pydd, docker: Docker, busybox: str, served: Served
):
    repository = served.repository("cached")
    commit(repository, Dockerfile=f"FROM {busybox}\nCOPY . /made\n", file="x")
    url = f"{served.http}/cached.git"
    first, again = (build(pydd.host, url, t=docker.name("cached"), q="1").text for _ in range(2))
    assert first == again
    assert docker("run", "--rm", "--network", "none", docker.name("cached"), "ls", "-A", "/made").split() == [
        "Dockerfile",
        "file",
    ]
    assert left(pydd) == []
    docker("rmi", "-f", docker.name("cached"))


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("{http}/hostile.git#:out", "no directory"),
        ("{http}/hostile.git#:file", "no directory"),
        ("{http}/hostile.git#:..", "not within"),
        ("{http}/hostile.git#nowhere", "nowhere"),
        ("{http}/hostile.git#--upload-pack=touch", "invalid refspec"),
        ("{http}/nothing.git", "not found"),
        ("{http}/secret/x.git", "could not read Username"),
        ("http://me:hush@{host}/secret/x.git", "Authentication failed"),
        ("{git}/nothing", "fatal"),
        ("{git}/thief", "not allowed"),
        ("{git}/runner", "not allowed"),
        ("{git}/knocker", "not allowed"),
        ("{git}/bomb", "beyond bounds"),
        ("git@127.0.0.1:x", "fatal"),
        ("ext::sh -c touch% /x.git", "no address"),
        ("file://{home}/hostile/.git", "no address"),
        ("{home}/hostile/.git", "no address"),
    ],
)
def test_a_repository_that_leads_out_or_is_missing_is_refused(pydd: Pydd, hostile: Served, url: str, why: str):
    host = hostile.http.removeprefix("http://")
    answer = build(pydd.host, url.format(http=hostile.http, git=hostile.git, home=hostile.home, host=host))
    assert answer.status_code == 400, answer.text
    assert why in answer.json()["message"]
    assert "hush" not in answer.text
    assert left(pydd) == []


@pytest.fixture(scope="module")
def hostile(served: Served) -> Served:
    """Repositories that try to get at what isn't theirs, or grow without end."""
    repository = served.repository("hostile")
    (repository / "out").symlink_to("/etc")
    commit(repository, file="x")
    for name, address in (
        ("thief", f"file://{repository}"),
        ("runner", "ext::touch /x"),
        ("knocker", "git@127.0.0.1:x"),
    ):
        thief = served.repository(name)
        git(thief, "submodule", "add", "-q", str(repository), "part")
        git(thief, "config", "-f", ".gitmodules", "submodule.part.url", address)
        commit(thief)
    bomb = served.repository("bomb")
    (bomb / "zeros").write_bytes(bytes(64 << 20))
    entry = f"100644 blob {git(bomb, 'hash-object', '-w', 'zeros')}"
    for _ in range(3):
        tree = git(bomb, "mktree", stdin="".join(f"{entry}\t{number}\n" for number in range(20)))
        entry = f"040000 tree {tree}"
    git(bomb, "update-ref", "refs/heads/master", git(bomb, "commit-tree", "-m", "bomb", tree))
    return served


def test_git_ends_with_the_client_that_wanted_it(pydd: Pydd, served: Served):
    url = f"{served.http}/held/{os.getpid()}.git"
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(pydd.config.socket_path))
        client.sendall(f"POST /build?remote={url} HTTP/1.1\r\nHost: engine\r\nContent-Length: 0\r\n\r\n".encode())
        assert served.held.wait(60)
    wait_until(lambda: not any(url.encode() in command for command in commands()))
    wait_until(lambda: left(pydd) == [])


def commands() -> list[bytes]:
    command_lines = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                command_lines.append((entry / "cmdline").read_bytes())
            except OSError:
                continue
    return command_lines
