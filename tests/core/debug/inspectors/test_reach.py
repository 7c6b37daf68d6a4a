"""Layers of a way, over real connections to a server of this test's own."""

from __future__ import annotations

import errno
import socket
import ssl
import threading
from pathlib import Path

import pytest

from pyd_core.debug.inspectors.reach import join_place, parse_place, reach
from pyd_core.debug.local_process import SocketProcess
from pyd_core.errors import InvalidInput, KernelError, NotFound
from support.tls import Certificates


class Here:
    """This machine's own network, with a bundle of trusted certificates."""

    def __init__(self, bundle: bytes = b"", failure: int = 0) -> None:
        self._bundle, self._failure = bundle, failure

    def read_file(self, path: str, **_: int) -> bytes:
        if path == "/etc/ssl/certs/ca-certificates.crt" and self._bundle:
            return self._bundle
        raise NotFound(path)

    def connect(self, host: str, port: int) -> SocketProcess:
        if self._failure:
            raise KernelError("connect", self._failure)
        try:
            return SocketProcess(socket.create_connection((host, port), timeout=10))
        except OSError as error:
            raise KernelError("connect", error.errno or 0) from error


def test_places_as_they_are_written():
    assert parse_place("db:5432") == ("db", 5432, None)
    assert parse_place("[::1]:80") == ("::1", 80, None)
    assert parse_place("https://example.org/a/b") == ("example.org", 443, True)
    assert parse_place("http://me@example.org:8080/") == ("example.org", 8080, False)
    for text in ("db", "db:", ":80", "db:x", "db:0", "db:70000", "[::1]"):
        with pytest.raises(InvalidInput):
            parse_place(text)


@pytest.mark.parametrize(
    ("number", "failed"),
    [
        (errno.ETIMEDOUT, "timeout"),
        (errno.ECONNREFUSED, "refused"),
        (errno.ENETUNREACH, "route"),
        (errno.ECONNRESET, "reset"),
    ],
)
def test_each_failure_of_the_kernels_is_a_layer(number: int, failed: str):
    attempt = reach(Here(failure=number), "127.0.0.1", 80, tls=False)  # type: ignore[arg-type]
    assert attempt.failed == failed
    assert not attempt.steps[-1].ok
    assert attempt.advice


def test_a_certificate_is_trusted_by_the_targets_own_bundle_alone(tmp_path: Path):
    certificates = Certificates.make(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem", tmp_path / "server-key.pem")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def serve() -> None:
            for _ in range(2):
                connection, _ = listener.accept()
                try:
                    with context.wrap_socket(connection, server_side=True) as secure:
                        secure.recv(1)
                except OSError:
                    connection.close()

        thread = threading.Thread(target=serve)
        thread.start()
        trusting = reach(Here((certificates.directory / "ca.pem").read_bytes()), "localhost", port, tls=True)  # type: ignore[arg-type]
        other = reach(Here(), "localhost", port, tls=True)  # type: ignore[arg-type]
        thread.join()
    assert trusting.ok, trusting
    assert "TLSv1" in trusting.steps[-1].text
    assert other.failed == "tls"
    assert "isn't trusted" in other.steps[-1].text


@pytest.mark.parametrize(
    ("host", "port", "expected"),
    [("db", "5432", ("db", 5432)), ("::1", "80", ("::1", 80)), ("[::1]", "80", ("::1", 80))],
)
def test_a_host_and_a_port_may_be_written_apart(host: str, port: str, expected: tuple[str, int]):
    assert parse_place(join_place(host, port))[:2] == expected


@pytest.mark.parametrize("host", ["db:80", "http://db", "[::1]:80"])
def test_two_ports_are_refused(host: str):
    with pytest.raises(InvalidInput):
        join_place(host, "80")
