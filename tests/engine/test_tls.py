"""A TCP engine behind TLS, with certificates as the docker CLI takes them."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pyd_core.client.connect import open_engine
from pyd_core.client.engine_choice import choose_endpoint
from pyd_core.client.frames import FrameDecoder
from pyd_core.errors import ConfigError, PydError
from support.docker import LONE, Docker
from support.tls import Certificates, TlsFront

SOCKET = Path("/var/run/docker.sock")


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates.make(tmp_path_factory.mktemp("tls") / "right")


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates.make(tmp_path_factory.mktemp("tls") / "wrong", name="elsewhere.example")


@pytest.fixture
def front(docker: Docker, certificates: Certificates) -> Iterator[TlsFront]:
    with TlsFront(SOCKET, certificates) as listening:
        yield listening


def environ(front: TlsFront, directory: Path | None, **more: str) -> dict[str, str]:
    path = {"DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": str(directory)} if directory else {}
    return {"HOME": "/nonexistent", "DOCKER_HOST": f"tcp://localhost:{front.port}", **path, **more}


async def failure(settings: dict[str, str]) -> PydError:
    async with open_engine(choose_endpoint(environ=settings)) as engine:
        with pytest.raises(PydError) as caught:
            await engine.containers.list()
    assert caught.value.hint
    assert "\n" not in caught.value.message
    return caught.value


async def test_lists_and_exec_with_half_closed_input(
    front: TlsFront, certificates: Certificates, docker: Docker, busybox: str
):
    name = docker.run("tls", busybox, "sleep", "600", options=LONE)
    try:
        async with open_engine(choose_endpoint(environ=environ(front, certificates.directory))) as engine:
            assert name in {result.name for result in await engine.containers.list()}
            created = await engine.execs.create(name, ["sh", "-c", "wc -c; echo after"], stdin=True)
            duplex = await engine.execs.start(created)
            await duplex.write(b"x" * 100_000)
            await duplex.close_write()
            heard = b""
            while part := await duplex.read():
                heard += part
            await duplex.aclose()
            assert b"".join(frame.data for frame in FrameDecoder().feed(heard)) == b"100000\nafter\n"
    finally:
        docker("rm", "-f", name)


async def test_tls_without_verification_trusts_any_server(
    docker: Docker, certificates: Certificates, others: Certificates
):
    with TlsFront(SOCKET, others, ask_client=False) as front:
        settings = environ(front, None, DOCKER_TLS="1", DOCKER_CERT_PATH=str(certificates.directory))
        async with open_engine(choose_endpoint(environ=settings)) as engine:
            assert (await engine.system.version()).version


async def test_an_unknown_ca(front: TlsFront, others: Certificates):
    assert (await failure(environ(front, others.directory))).reference == "tls-unknown-ca"


async def test_a_certificate_for_another_name(docker: Docker, others: Certificates):
    with TlsFront(SOCKET, others) as front:
        assert (await failure(environ(front, others.directory))).reference == "tls-wrong-name"


async def test_no_client_certificate(front: TlsFront, certificates: Certificates, tmp_path: Path):
    (tmp_path / "ca.pem").write_bytes((certificates.directory / "ca.pem").read_bytes())
    assert (await failure(environ(front, tmp_path))).reference == "tls-client-certificate"


async def test_a_plain_request_to_a_tls_port(front: TlsFront):
    error = await failure(environ(front, None))
    assert "DOCKER_TLS_VERIFY" in error.hint


async def test_a_tls_port_that_says_so_in_words():
    words = b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"
    with answering(words) as port:
        error = await failure({"HOME": "/nonexistent", "DOCKER_HOST": f"tcp://localhost:{port}"})
    assert error.reference == "tls-mismatch"


async def test_tls_to_a_plain_port(certificates: Certificates):
    with answering(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n") as port:
        settings = {"DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": str(certificates.directory)}
        error = await failure({"HOME": "/nonexistent", "DOCKER_HOST": f"tcp://localhost:{port}", **settings})
    assert error.reference == "tls-mismatch"


@contextmanager
def answering(reply: bytes) -> Iterator[int]:
    """A TCP port that gives one connection one reply."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(reply)
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(4096):
                    pass

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        thread.join()


def test_a_file_that_is_no_certificate(tmp_path: Path):
    (tmp_path / "cert.pem").write_text("nonsense")
    settings = {"DOCKER_HOST": "tcp://h:1", "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": str(tmp_path)}
    with pytest.raises(ConfigError, match="certificates") as caught:
        open_engine(choose_endpoint(environ=settings))
    assert str(tmp_path) in caught.value.hint
