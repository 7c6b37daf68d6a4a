"""A real engine with many more containers than it has: the others are scripted, and run without ever doing anything."""

from __future__ import annotations

import contextlib
import hashlib
import json
import socket
import threading
from pathlib import Path

from support.fake_engine import FakeEngine, answer_json
from support.scripted_engine import ScriptedContainer
from support.scripted_wire import inspected, summary


class Crowd(FakeEngine):
    """Answers for the scripted containers itself, adds them to the engine's list, and hands all else through.

    Args:
        path: Where to listen.
        upstream: The engine's socket.
        count: How many are added.
    """

    def __init__(self, path: Path, upstream: Path, count: int) -> None:
        super().__init__(path, {})
        self._upstream = upstream
        containers = [self._container(f"crowd-{number:03}") for number in range(count)]
        self._crowd = {container.id: container for container in containers}

    @staticmethod
    def _container(name: str) -> ScriptedContainer:
        identity = hashlib.sha256(name.encode()).hexdigest()
        return ScriptedContainer(identity, name, "crowd:1", pid=2**30, started_ns=1_700_000_000 * 10**9)

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head:
                if not (data := connection.recv(65536)):
                    return
                head += data
            path = head.split(b" ", 2)[1].decode().partition("?")[0].split("/", 2)[-1]
            parts = path.split("/")
            if parts[:1] == ["containers"] and len(parts) == 3 and parts[1] in self._crowd:
                container = self._crowd[parts[1]]
                missing = answer_json({"message": "not scripted"}, status="404 Not Found")
                connection.sendall(answer_json(inspected(container)) if parts[2] == "json" else missing)
                return
            with socket.socket(socket.AF_UNIX) as upstream:
                upstream.connect(str(self._upstream))
                self._connections.append(upstream)
                if b"\r\nUpgrade:" not in head:  # one request a connection, or the next would go by unseen
                    head = b"\r\n".join(
                        line for line in head.split(b"\r\n") if not line.lower().startswith(b"connection:")
                    ).replace(b"\r\n", b"\r\nConnection: close\r\n", 1)
                upstream.sendall(head)
                if path == "containers/json":
                    connection.sendall(self._with_crowd(upstream))
                else:
                    self._pass_on(connection, upstream)

    def _with_crowd(self, upstream: socket.socket) -> bytes:
        answer = b""
        while data := upstream.recv(65536):
            answer += data
        head, _, body = answer.partition(b"\r\n\r\n")
        if b"chunked" in head.lower():
            body = _unchunked(body)
        return answer_json([*json.loads(body), *(summary(container) for container in self._crowd.values())])

    @staticmethod
    def _pass_on(connection: socket.socket, upstream: socket.socket) -> None:
        def up() -> None:
            with contextlib.suppress(OSError):
                while data := connection.recv(65536):
                    upstream.sendall(data)
                upstream.shutdown(socket.SHUT_WR)

        sender = threading.Thread(target=up)
        sender.start()
        try:
            with contextlib.suppress(OSError):
                while data := upstream.recv(65536):
                    connection.sendall(data)
        finally:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            sender.join()


def _unchunked(body: bytes) -> bytes:
    """Put a chunked body together (RFC 9112, section 7.1)."""
    whole = b""
    while body:
        size, _, rest = body.partition(b"\r\n")
        length = int(size.partition(b";")[0], 16)
        whole += rest[:length]
        body = rest[length + 2 :] if length else b""
    return whole
