"""Ports of this machine that lead into a target's network, also to what listens on its own 127.0.0.1."""

from __future__ import annotations

import contextlib
import itertools
import socket
import threading

import msgspec

from pyd_core.debug.access import Access, AccessProcess
from pyd_core.errors import Conflict, InvalidInput, NotFound, PydError, Refused

CHUNK = 65536
MAX_CONNECTIONS = 256
"""Connections at a time."""


class ForwardAddress(msgspec.Struct, frozen=True, kw_only=True):
    """The two ends of a forward."""

    local: int
    """Port here; 0 takes a free one."""
    host: str
    port: int
    bind: str = "127.0.0.1"


def parse_forward(text: str) -> ForwardAddress:
    """Read `PORT`, `LOCAL:PORT`, `LOCAL:HOST:PORT` or `ADDRESS:LOCAL:HOST:PORT`.

    Raises:
        InvalidInput: It is none of these.
    """
    parts = _split(text)
    bind, host = "127.0.0.1", "127.0.0.1"
    if len(parts) == 1:
        parts = [parts[0], parts[0]]
    if len(parts) == 2:
        local, port = parts
    elif len(parts) == 3:
        local, host, port = parts
    elif len(parts) == 4:
        bind, local, host, port = parts
    else:
        local = port = ""
    if not _is_port(local, 0) or not _is_port(port, 1) or not host or not bind:
        raise InvalidInput(f"not a forward: {text!r}", hint="write LOCAL:PORT, as in 8080:80, or LOCAL:HOST:PORT")
    return ForwardAddress(local=int(local), host=host, port=int(port), bind=bind)


def _split(text: str) -> list[str]:
    """Split at colons outside of brackets."""
    parts = [""]
    inside = False
    for letter in text:
        if letter in "[]":
            inside = letter == "["
        elif letter == ":" and not inside:
            parts.append("")
        else:
            parts[-1] += letter
    return parts


def _is_port(text: str, least: int) -> bool:
    return text.isascii() and text.isdigit() and least <= int(text) < 65536


class Forward:
    """A listener here whose connections are continued inside a target's network, each by two threads.

    Args:
        access: The target.
        address: The two ends.

    Raises:
        Conflict: The port is taken.
        Refused: It may not be taken.
    """

    def __init__(self, access: Access, address: ForwardAddress) -> None:
        self._access = access
        self.address = address
        self.connections = 0
        """So far."""
        self.last_error = ""
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        family = socket.AF_INET6 if ":" in address.bind else socket.AF_INET
        self._listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._listener.bind((address.bind, address.local))
            self._listener.listen(64)
        except PermissionError as error:
            self._listener.close()
            raise Refused(f"port {address.local} may not be taken", hint="take one above 1023") from error
        except OSError as error:
            self._listener.close()
            raise Conflict(f"port {address.local} of {address.bind} can't be taken: {error.strerror}",
                           hint="choose another, or 0 for a free one", reference="port-taken") from error  # fmt: skip
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, name=f"forward-{self.port}", daemon=True)
        self._thread.start()

    def wait(self) -> None:
        """Return when it has been closed."""
        self._thread.join()

    def close(self) -> None:
        """End it and its connections."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
        self._listener.close()
        with self._lock:
            held = list(self._open)
        for connection in held:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return  # closed
            with self._lock:
                full = len(self._open) >= MAX_CONNECTIONS
                if not full:
                    self._open.add(client)
            if full:
                client.close()
                continue
            self.connections += 1
            threading.Thread(target=self._carry, args=(client,), name="forwarded", daemon=True).start()

    def _carry(self, client: socket.socket) -> None:
        try:
            there = self._access.connect(self.address.host, self.address.port)
        except PydError as error:
            self.last_error = error.message
            self._forget(client)
            return
        back = threading.Thread(target=_bring, args=(there, client), name="forwarded-back", daemon=True)
        back.start()
        try:
            while data := client.recv(CHUNK):
                there.write(data)
            there.close_input()
        except (OSError, PydError):
            there.end()
        back.join()
        there.end()
        self._forget(client)

    def _forget(self, client: socket.socket) -> None:
        with self._lock:
            self._open.discard(client)
        client.close()


def _bring(there: AccessProcess, client: socket.socket) -> None:
    """Bring back what comes from the target, and its end."""
    with contextlib.suppress(OSError, PydError):
        while data := there.read():
            client.sendall(data)
    with contextlib.suppress(OSError):
        client.shutdown(socket.SHUT_WR)


class Forwards:
    """The forwards that run in the background of this process, by number."""

    def __init__(self) -> None:
        self._running: dict[int, Forward] = {}
        self._numbers = itertools.count(1)

    def add(self, forward: Forward) -> int:
        """Add a forward and return its number."""
        number = next(self._numbers)
        self._running[number] = forward
        return number

    def running(self) -> dict[int, Forward]:
        """Return the running forwards by number."""
        return dict(self._running)

    def stop(self, number: int | None) -> None:
        """End a forward, or all.

        Raises:
            NotFound: There is none with that number.
        """
        if number is not None and number not in self._running:
            raise NotFound(f"no forward {number}", hint="list them with: forward ls", reference="no-forward")
        for key in [number] if number is not None else list(self._running):
            self._running.pop(key).close()


BACKGROUND = Forwards()
"""Of this process; they end with it."""
