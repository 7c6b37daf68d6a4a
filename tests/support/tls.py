"""A TLS front for an engine's socket, and the certificates for it, made by openssl."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self


@dataclass(frozen=True)
class Certificates:
    """A folder as `DOCKER_CERT_PATH` names it (`ca.pem`, `cert.pem`, `key.pem`), and the server's own pair."""

    directory: Path

    @classmethod
    def make(cls, directory: Path, *, name: str = "localhost") -> Certificates:
        """Make a CA, a server certificate for `name` and a client certificate."""
        directory.mkdir(parents=True, exist_ok=True)
        certificates = cls(directory)
        subject = ("-subj", "/CN=test ca", "-keyout", "ca-key.pem", "-out", "ca.pem")
        key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2")
        certificates._openssl("req", "-x509", *key, *subject, "-addext", "keyUsage=critical,keyCertSign,cRLSign")
        kind = "IP" if name.replace(".", "").isdecimal() else "DNS"
        certificates._sign("server", f"subjectAltName={kind}:{name}")
        certificates._sign("client", "extendedKeyUsage=clientAuth")
        (directory / "client.pem").rename(directory / "cert.pem")
        (directory / "client-key.pem").rename(directory / "key.pem")
        return certificates

    def _sign(self, who: str, extension: str) -> None:
        (self.directory / f"{who}.ext").write_text(f"{extension}\nauthorityKeyIdentifier=keyid\n")
        self._openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={who}",
                      "-keyout", f"{who}-key.pem", "-out", f"{who}.csr")  # fmt: skip
        self._openssl("x509", "-req", "-in", f"{who}.csr", "-CA", "ca.pem", "-CAkey", "ca-key.pem", "-days", "2",
                      "-extfile", f"{who}.ext", "-out", f"{who}.pem")  # fmt: skip

    def _openssl(self, *arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=self.directory, capture_output=True, check=True)


class TlsFront:
    """Listens on localhost and carries each connection to a unix socket, once TLS and the client's certificate fit."""

    def __init__(self, engine: Path, certificates: Certificates, *, ask_client: bool = True) -> None:
        self._engine = engine
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificates.directory / "server.pem", certificates.directory / "server-key.pem")
        if ask_client:
            self._context.load_verify_locations(certificates.directory / "ca.pem")
            self._context.verify_mode = ssl.CERT_REQUIRED
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads: list[threading.Thread] = []
        self._sockets: list[socket.socket] = []
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        for open_socket in (self._listener, *self._sockets):
            with suppress(OSError):
                open_socket.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def _start(self, work: object, *arguments: object) -> None:
        assert callable(work)
        thread = threading.Thread(target=work, args=arguments)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                raw, _ = self._listener.accept()
            except OSError:
                return
            self._sockets.append(raw)
            self._start(self._carry, raw)

    def _carry(self, raw: socket.socket) -> None:
        with (
            suppress(OSError),
            self._context.wrap_socket(raw, server_side=True, do_handshake_on_connect=False) as client,
        ):
            self._sockets.append(client)
            try:
                client.do_handshake()
            except ssl.SSLError:
                client.shutdown(socket.SHUT_WR)
                while os.read(client.fileno(), 4096):  # closing with unread data would reset the alert away
                    pass
                return
            with socket.socket(socket.AF_UNIX) as engine:
                engine.connect(str(self._engine))
                self._sockets.append(engine)
                down = threading.Thread(target=_pump, args=(engine, client))
                down.start()
                _pump(client, engine)
                down.join()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    """Copy until the end; TLS has no half-close in this API, so the end of the engine's side ends the connection."""
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_RDWR if isinstance(sink, ssl.SSLSocket) else socket.SHUT_WR)
