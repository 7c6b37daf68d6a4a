"""A registry that dies in the middle of a transfer: connections pass through here until enough bytes have."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

CHUNK_BYTES = 1 << 16


class DyingRegistry:
    """Passes connections on to a registry, and ends all of them and takes no more after a number of bytes.

    Args:
        address: `HOST:PORT` of the registry.
        max_sent_bytes: Bytes that it sends to clients; None for any number.
        max_received_bytes: Bytes that clients send to it; None for any number.
    """

    def __init__(
        self, address: str, *, max_sent_bytes: int | None = None, max_received_bytes: int | None = None
    ) -> None:
        host, _, port = address.rpartition(":")
        self._target = (host, int(port))
        self._remaining = {"sent": max_sent_bytes, "received": max_received_bytes}
        self._server = socket.create_server(("127.0.0.1", 0))
        self._connections: list[socket.socket] = []
        self._lock = threading.Lock()
        self.is_dead = False

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._server.getsockname()[1]}"

    @contextmanager
    def serving(self) -> Iterator[str]:
        """Serve until the block ends; yield the address."""
        address = self.address
        thread = threading.Thread(target=self._accept, daemon=True)
        thread.start()
        try:
            yield address
        finally:
            self._die(expected=False)
            thread.join()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._server.accept()
                registry = socket.create_connection(self._target)
                with self._lock:
                    self._connections += [client, registry]
                for pair, direction in (((client, registry), "received"), ((registry, client), "sent")):
                    threading.Thread(target=self._copy, args=(*pair, direction), daemon=True).start()

    def _copy(self, source: socket.socket, target: socket.socket, direction: str) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(CHUNK_BYTES):
                target.sendall(data)
                with self._lock:
                    remaining = self._remaining[direction]
                    if remaining is None:
                        continue
                    self._remaining[direction] = remaining - len(data)
                if remaining <= len(data):
                    self._die(expected=True)
            target.shutdown(socket.SHUT_WR)

    def _die(self, *, expected: bool) -> None:
        self.is_dead = self.is_dead or expected
        with self._lock:
            sockets, self._connections = [self._server, *self._connections], []
        for endpoint in sockets:
            with contextlib.suppress(OSError):
                endpoint.shutdown(socket.SHUT_RDWR)
            endpoint.close()
