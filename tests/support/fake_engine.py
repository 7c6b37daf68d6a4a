"""An engine that says exactly what a test wants, byte for byte, on a unix socket."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

Reply = bytes | Callable[[socket.socket, str], None]
"""Bytes to send before the connection is closed, or a function of the connection and the request's target."""


def answer(body: bytes = b"", *, status: str = "200 OK", headers: str = "") -> bytes:
    """Write a complete answer of HTTP/1.1."""
    head = f"HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
    return head.encode() + body


def answer_json(value: object, *, status: str = "200 OK") -> bytes:
    """Write a complete answer with a JSON body."""
    return answer(json.dumps(value).encode(), status=status, headers="Content-Type: application/json\r\n")


PING = answer(b"OK", headers="Api-Version: 1.45\r\n")


class FakeEngine:
    """Answers each request by its path (without version and query); a thread, so that blocking clients work too."""

    def __init__(self, path: Path, replies: Mapping[str, Reply]) -> None:
        self.path = path
        self.url = f"unix://{path}"
        self.requests: list[bytes] = []
        self._replies: dict[str, Reply] = {"/_ping": PING, **replies}
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(64)
        self._ended = threading.Event()
        self._threads: list[threading.Thread] = []
        self._connections: list[socket.socket] = []

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._ended.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        for connection in self._connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def wait_for_end(self) -> None:
        """Hold a connection open without a word until the test is over."""
        self._ended.wait()

    def _start(self, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._ended.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._connections.append(connection)
            self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            head = b""
            while not _complete(head):
                data = connection.recv(65536)
                if not data:
                    return
                head += data
            self.requests.append(head)
            target = head.split(b" ", 2)[1].decode()
            path = target.partition("?")[0]
            if path.startswith("/v1."):
                path = "/" + path.split("/", 2)[2]
            reply = self._replies.get(path, answer_json({"message": "no such page"}, status="404 Not Found"))
            if isinstance(reply, bytes):
                connection.sendall(reply)
            else:
                reply(connection, target)
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_WR)
            while connection.recv(65536):  # closing with unread data would reset the connection under the answer
                pass


def _complete(request: bytes) -> bool:
    """Return whether the headers and a body of stated length are complete; the reply reads a chunked body."""
    head, ended, body = request.partition(b"\r\n\r\n")
    length = [line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    return bool(ended) and len(body) >= int(length[0] if length else 0)
