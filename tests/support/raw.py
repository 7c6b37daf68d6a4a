"""Requests sent byte by byte, for clients that misbehave."""

from __future__ import annotations

import json
import os
import pty
import select
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from support.docker import Docker, environment


@contextmanager
def connected(docker: Docker, *, seconds: float = 60.0) -> Iterator[socket.socket]:
    """Connect to an engine's unix socket."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(seconds)
        client.connect(docker.host.removeprefix("unix://"))
        yield client


def request(method: str, path: str, body: object = None, *, upgrade: bool = False) -> bytes:
    """Write a request as it goes over the wire."""
    content = b"" if body is None else json.dumps(body).encode()
    more = "Connection: Upgrade\r\nUpgrade: tcp\r\n" if upgrade else ""
    head = f"{method} {path} HTTP/1.1\r\nHost: e\r\nContent-Type: application/json\r\n{more}"
    return f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content


def head(client: socket.socket) -> bytes:
    """Read the head of an answer, and nothing behind it."""
    data = b""
    while not data.endswith(b"\r\n\r\n"):
        byte = client.recv(1)
        assert byte, data
        data += byte
    return data


def rest(client: socket.socket) -> bytes:
    """Read to the end."""
    received = bytearray()
    while data := client.recv(1 << 16):
        received += data
    return bytes(received)


def unframed(data: bytes) -> bytes:
    """Take the frames of a multiplexed stream off."""
    payload, offset = bytearray(), 0
    while offset < len(data):
        size = int.from_bytes(data[offset + 4 : offset + 8], "big")
        payload += data[offset + 8 : offset + 8 + size]
        offset += 8 + size
    return bytes(payload)


class Typist:
    """The docker CLI on a terminal of its own; a context manager."""

    def __init__(self, docker: Docker, *arguments: str) -> None:
        self._ours, theirs = pty.openpty()
        self._client = subprocess.Popen(
            [*docker.command, *arguments],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=environment(DOCKER_HOST=docker.host),
            start_new_session=True,
        )
        os.close(theirs)
        self._seen = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._client.kill()
        self._client.wait()
        os.close(self._ours)

    def type(self, keys: bytes) -> None:
        """Type keys."""
        os.write(self._ours, keys)

    def until(self, text: bytes, seconds: float = 30.0) -> None:
        """Read until a text has come."""
        deadline = time.monotonic() + seconds
        while text not in self._seen:
            ready, _, _ = select.select([self._ours], [], [], max(0.0, deadline - time.monotonic()))
            assert ready, f"{text!r} doesn't come: {self._seen!r}"
            self._seen += os.read(self._ours, 4096)
        self._seen = self._seen.partition(text)[2]

    def end(self, seconds: float = 30.0) -> int:
        """Wait for the client's end and return its exit code."""
        return self._client.wait(seconds)
