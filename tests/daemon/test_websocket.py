"""Attaching by websocket: the same on Docker Engine and on the embedded one."""

from __future__ import annotations

import base64
import hashlib
import os
import socket

import pytest

from support.docker import LONE, Docker, busybox_files
from support.pydd import Pydd
from support.staging import wait_until

MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Client:
    """A websocket client on an engine's unix socket."""

    def __init__(self, host: str, path: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(30)
        self._socket.connect(host.removeprefix("unix://"))
        self._stream = self._socket.makefile("rb")
        key = base64.b64encode(os.urandom(16))
        self.proof = base64.b64encode(hashlib.sha1(key + MAGIC, usedforsecurity=False).digest()).decode()
        request = f"GET {path} HTTP/1.1\r\nHost: e\r\nOrigin: http://e\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        self._socket.sendall(request.encode() + b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + key + b"\r\n\r\n")
        self.head = b"".join(iter(self._stream.readline, b"\r\n")).decode()

    def send(self, kind: int, data: bytes, *, masked: bool = True) -> None:
        mask = os.urandom(4) if masked else b""
        body = bytes(byte ^ mask[index % 4] for index, byte in enumerate(data)) if masked else data
        self._socket.sendall(bytes((0x80 | kind, (0x80 if masked else 0) | len(data))) + mask + body)

    def frame(self) -> tuple[int, bytes]:
        """Return the next frame's kind and contents; kind 8 also when the connection ends."""
        head = self._stream.read(2)
        if len(head) < 2:
            return 8, b""
        size = head[1]
        if size >= 126:
            size = int.from_bytes(self._stream.read(2 if size == 126 else 8), "big")
        return head[0] & 0xF, self._stream.read(size)

    def until(self, *texts: bytes) -> bytes:
        """Read what is printed until all of some texts were."""
        received = b""
        while not all(text in received for text in texts):
            kind, data = self.frame()
            assert kind != 8, received
            received += data
        return received

    def close(self) -> None:
        self._stream.close()
        self._socket.close()


def test_input_and_output_go_through_frames_until_the_end(both: Docker):
    image = both.image("socket", busybox_files(), directories=("tmp",))
    script = "read a; echo got $a; echo oops >&2; read b; head -c 70000 /dev/zero | tr '\\0' x; echo; echo end"
    name = both.run("talks", image, "sh", "-c", script, options=(*LONE, "-i"))
    client = Client(both.host, f"/v1.45/containers/{name}/attach/ws?stream=1&stdin=1&stdout=1&stderr=1")
    assert client.head.startswith("HTTP/1.1 101 ")
    assert client.proof in client.head
    client.send(1, b"this\n")
    client.until(b"oops\n", b"got this\n")  # two streams, in no order
    client.send(2, b"more\n")
    assert client.until(b"end\n") == b"x" * 70000 + b"\nend\n"
    assert client.frame()[0] == 8
    client.close()
    assert both("wait", name) == "0"
    both("rm", name)


def test_a_request_without_upgrade_is_refused_and_a_protocol_violation_ends_the_connection(
    pydd: Pydd, docker: Docker, busybox: str
):
    name = docker.run("quiet", busybox, "cat", options=(*LONE, "-i"))
    path = f"/containers/{name}/attach/ws?stream=1&stdin=1&stdout=1"
    with socket.socket(socket.AF_UNIX) as plain:
        plain.connect(str(pydd.config.socket_path))
        plain.sendall(f"GET {path} HTTP/1.1\r\nHost: e\r\n\r\n".encode())
        assert plain.recv(1000).startswith(b"HTTP/1.1 400 ")
    client = Client(docker.host, path)
    client.send(9, b"are you there")
    assert client.frame() == (10, b"are you there")
    client.send(1, b"not masked", masked=False)
    assert client.frame()[0] == 8
    client.close()
    client = Client(docker.host, path)
    client.send(8, (1000).to_bytes(2, "big"))
    assert client.frame() == (8, (1000).to_bytes(2, "big"))
    client.close()
    assert docker.inspect(name)["State"]["Running"]
    docker("rm", "-f", name)
    client = Client(docker.host, path.replace(name, "nosuch"))
    assert client.head.startswith("HTTP/1.1 404 ")
    client.close()


@pytest.mark.parametrize("before", ["printed", ""])
def test_earlier_output_comes_first_on_request(docker: Docker, busybox: str, before: str):
    name = docker.run("printed", busybox, "sh", "-c", f"echo -n {before}; read line", options=(*LONE, "-i"))
    wait_until(lambda: docker("logs", name) == before)
    client = Client(docker.host, f"/containers/{name}/attach/ws?logs=1&stream=1&stdin=1&stdout=1")
    client.send(1, b"x\n")
    received = b""
    while (frame := client.frame())[0] != 8:
        received += frame[1]
    assert received == before.encode()
    client.close()
    docker("rm", "-f", name)
