"""Builds that fetch: ADD of an address, and contexts that are elsewhere, from a server of the test's own."""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from support.docker import Docker
from support.pydd import Pydd

NOTE = b"a note\n"
DIGEST = f"sha256:{hashlib.sha256(NOTE).hexdigest()}"
MODIFIED = "Sun, 06 Nov 1994 08:49:37 GMT"
CLASSIC = {**os.environ, "DOCKER_BUILDKIT": "0"}


@dataclass
class Server:
    """A server of files by path, which records the paths that are requested.

    Attributes:
        files: Contents by path.
        promised: The length it announces, where that isn't the true one.
        requested: The requested paths, in order.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    promised: dict[str, int] = field(default_factory=dict)
    requested: list[str] = field(default_factory=list)
    address: str = ""


@pytest.fixture
def server() -> Iterator[Server]:
    served = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.requested.append(self.path)
            if self.path == "/moved":
                self.send_response(302)
                self.send_header("Location", "/note")
                self.end_headers()
                return
            body = served.files.get(self.path.partition("?")[0])
            self.send_response(200 if body is not None else 404)
            self.send_header("Last-Modified", MODIFIED)
            self.send_header("Content-Length", str(served.promised.get(self.path, len(body or b""))))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        served.address = f"http://127.0.0.1:{listening.server_address[1]}"
        served.files["/note"] = NOTE
        try:
            yield served
        finally:
            listening.shutdown()
            thread.join()


def archive(**files: str) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text.encode())
            tar.addfile(entry, io.BytesIO(text.encode()))
    return out.getvalue()


def built(docker: Docker, directory: Path, dockerfile: str, *options: str) -> subprocess.CompletedProcess[str]:
    (directory / "Dockerfile").write_text(dockerfile)
    command = ["docker", "-H", docker.host, "build", "-q", *options, str(directory)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=CLASSIC)


def remote(engine: Pydd, url: str, **query: str) -> httpx.Response:
    with httpx.Client(transport=httpx.HTTPTransport(uds=str(engine.config.socket_path)), timeout=60) as client:
        return client.post("http://engine/build", params={"remote": url, **query})


def spooled(engine: Pydd) -> list[str]:
    home = engine.config.root
    return sorted(path.name for directory in ("build", "blobs/spool") for path in (home / directory).glob("*"))


def test_add_fetches_what_its_address_names(pydd: Pydd, docker: Docker, busybox: str, server: Server, tmp_path: Path):
    server.files["/tree.tar"] = archive(inside="x")
    done = built(
        docker,
        tmp_path,
        f"""
        FROM {busybox}
        ARG WHERE={server.address}
        ADD ${{WHERE}}/note /named
        ADD --chown=7:8 ${{WHERE}}/note?version=1 /directory/
        ADD --checksum={DIGEST} ${{WHERE}}/moved /checked
        ADD ${{WHERE}}/tree.tar /kept/
        """,
    )
    assert done.returncode == 0, done.stderr
    image = done.stdout.strip()
    script = "stat -c '%n %a %u:%g %Y' /named /directory/note /checked; cat /named; ls /kept"
    assert docker("run", "--rm", "--network", "none", image, "sh", "-c", script).splitlines() == [
        "/named 600 0:0 784111777",
        "/directory/note 600 7:8 784111777",
        "/checked 600 0:0 784111777",
        "a note",
        "tree.tar",
    ]
    assert server.requested == ["/note", "/note?version=1", "/moved", "/note", "/tree.tar"]
    assert spooled(pydd) == []
    docker("rmi", "-f", image)


def test_the_cache_knows_what_is_fetched_by_its_contents(docker: Docker, busybox: str, server: Server, tmp_path: Path):
    dockerfile = f"FROM {busybox}\nADD {server.address}/note /note\n"
    first, again = (built(docker, tmp_path, dockerfile).stdout for _ in range(2))
    server.files["/note"] = b"another"
    other = built(docker, tmp_path, dockerfile).stdout
    assert first == again != other
    docker("rmi", "-f", first.strip(), other.strip())


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("ADD {0}/nothing /x", "404"),
        ("ADD {0}/ /directory/", "cannot determine filename"),
        ("ADD --checksum=sha256:" + "0" * 64 + " {0}/note /x", "digest mismatch"),
        ("ADD --checksum=md5:0 {0}/note /x", "invalid checksum"),
        ("ADD --checksum=" + DIGEST + " Dockerfile /x", "checksum requires HTTP(S)"),
        ("COPY {0}/note /x", "can't be a URL for COPY"),
        ("ADD {0}/huge /x", "larger than"),
        ("ADD {0}/short /x", "short"),
        ("ADD http://127.0.0.1:1/x /x", "127.0.0.1:1"),
        ("ADD http://[::bad/x /x", "[::bad"),
        ("ADD ftp://127.0.0.1/x /x", "file does not exist"),
    ],
)
def test_a_failed_download_ends_the_build_and_leaves_nothing(  # noqa: PLR0917 - fixtures and parameters
    pydd: Pydd, docker: Docker, busybox: str, server: Server, tmp_path: Path, line: str, why: str
):
    server.files |= {"/huge": b"x", "/short": b"x"}
    server.promised |= {"/huge": 1 << 50, "/short": 1000}
    done = built(docker, tmp_path, f"FROM {busybox}\n{line.format(server.address)}\n")
    assert done.returncode != 0
    assert why in done.stderr
    assert spooled(pydd) == []


def test_a_context_elsewhere_is_an_archive_or_a_dockerfile(pydd: Pydd, docker: Docker, busybox: str, server: Server):
    server.files["/alone"] = f"FROM {busybox}\nRUN echo alone > /made\n".encode()
    server.files["/whole.tar.gz"] = archive(Other=f"FROM {busybox}\nCOPY file /made\n", file="whole")
    for path, name, printed in (("/alone", "ignored", "alone"), ("/whole.tar.gz", "Other", "whole")):
        answer = remote(pydd, server.address + path, dockerfile=name, t=f"elsewhere{printed}:1", rm="1")
        assert "Successfully built" in answer.text
        assert docker("run", "--rm", "--network", "none", f"elsewhere{printed}:1", "cat", "/made") == printed
        docker("rmi", "-f", f"elsewhere{printed}:1")
    assert spooled(pydd) == []


def test_the_docker_client_builds_from_an_address(docker: Docker, busybox: str, server: Server):
    server.files["/Dockerfile"] = f"FROM {busybox}\nRUN echo by address > /made\n".encode()
    command = ["docker", "-H", docker.host, "build", "-q", f"{server.address}/Dockerfile"]
    image = subprocess.run(command, capture_output=True, text=True, check=True, env=CLASSIC).stdout.strip()
    assert docker("run", "--rm", "--network", "none", image, "cat", "/made") == "by address"
    docker("rmi", "-f", image)


@pytest.mark.parametrize("body", [b"\0" * 2000, b"# x\n" * (1 << 19), b""])
def test_a_context_that_is_neither_archive_nor_dockerfile_is_refused(pydd: Pydd, server: Server, body: bytes):
    server.files["/x"] = body
    answer = remote(pydd, f"{server.address}/x")
    assert answer.status_code == 400, answer.text
    assert json.loads(answer.text)["message"]
    assert remote(pydd, f"{server.address}/nothing").status_code == 400
    assert spooled(pydd) == []
