"""Exec and attach over WebSocket: channels of one connection.

The first byte of a message is its channel: 0 input, 1 output, 2 errors, 3 the result, 4 the terminal's size. Version 5
of the protocol adds 255, which closes a channel (Kubernetes, `remotecommand`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import ClassVar

import msgspec

from pyd_core.client.frames import MULTIPLEXED, RAW
from pyd_core.errors import StreamInterrupted
from pyd_core.kube.cluster_api import ClusterApi, Query, object_path
from pyd_core.kube.container_view import PodMember
from pyd_core.kube.failures import parse_status
from pyd_core.kube.model.status import ApiStatus
from pyd_core.kube.websocket import WebSocket, open_websocket
from pyd_core.sanitise import safe

STDIN, STDOUT, STDERR, RESULT, RESIZE, CLOSE = 0, 1, 2, 3, 4, 255
PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")
CHUNK_BYTES = 32 * 1024
REFUSAL = "OCI runtime exec failed"
NOT_EXECUTABLE = 126
NOT_FOUND = 127


class ProcessStreams:
    """The streams of a process in a container; output is framed as the Engine API frames it, unless it has a terminal.

    Args:
        socket: The connection.
        tty: Whether the process has a terminal.
    """

    CLOSES_INPUT: ClassVar[frozenset[str]] = frozenset({"v5.channel.k8s.io"})

    def __init__(self, socket: WebSocket, *, tty: bool) -> None:
        self._socket = socket
        self._tty = tty
        self._waiting = b""
        self._lock = asyncio.Lock()
        self.headers: Mapping[str, str] = {"content-type": RAW if tty else MULTIPLEXED}
        self.result: ApiStatus | None = None
        """The server's result, once the output has ended."""

    @property
    def exit_code(self) -> int | None:
        """The exit code; None while the process runs, and where the server reports none.

        A program that couldn't be started has 127 or 126, as in a shell.
        """
        if self.result is None:
            return None
        if self.result.status == "Success":
            return 0
        for cause in self.result.details.causes:
            if cause.reason == "ExitCode" and cause.message.isdecimal() and len(cause.message) < 6:
                return int(cause.message)
        if self.refusal:
            return NOT_FOUND if "not found" in self.refusal or "no such file" in self.refusal else NOT_EXECUTABLE
        return None

    @property
    def refusal(self) -> str:
        """The runtime's error where the program couldn't be started."""
        text = self.result.message if self.result is not None else ""
        _, prefix, rest = text.partition(REFUSAL)
        return f"{prefix}{safe(' '.join(rest.split()))}"[:500]

    async def read(self, limit: int = 65536) -> bytes:
        """Return available output, at most `limit` bytes; empty at the end."""
        while not self._waiting:
            message = await self._socket.receive()
            if message is None:
                return b""
            self._take(message)
            if self.result is not None and not self._waiting:
                return b""
        data, self._waiting = self._waiting[:limit], self._waiting[limit:]
        return data

    def _take(self, message: bytes) -> None:
        channel, data = message[:1], message[1:]
        if channel == b"\x03":
            self.result = parse_status(data) or ApiStatus(status="Failure", message="")
            if self.refusal:  # Docker Engine, too, reports it in place of the program's output
                self._take(bytes([STDOUT]) + self.refusal.encode())
        elif channel in {b"\x01", b"\x02"} and data:
            if self._tty:
                self._waiting += data
            else:
                self._waiting += channel + b"\0\0\0" + len(data).to_bytes(4, "big") + data

    async def write(self, data: bytes) -> None:
        """Send input."""
        async with self._lock:
            for start in range(0, len(data), CHUNK_BYTES):
                await self._socket.send(bytes([STDIN]) + data[start : start + CHUNK_BYTES])

    async def close_write(self) -> None:
        """Signal the end of input; version 4 of the protocol can't, and then the process keeps waiting for more."""
        if self._socket.protocol in self.CLOSES_INPUT and not self._socket.closed:
            async with self._lock:
                await self._socket.send(bytes([CLOSE, STDIN]))

    @property
    def closes_input(self) -> bool:
        """Whether the end of input can be signalled."""
        return self._socket.protocol in self.CLOSES_INPUT

    async def resize(self, *, rows: int, columns: int) -> None:
        """Set the size of the terminal."""
        size = msgspec.json.encode({"Width": columns, "Height": rows})
        if not self._socket.closed:
            async with self._lock:
                await self._socket.send(bytes([RESIZE]) + size)

    async def aclose(self) -> None:
        """Close the connection."""
        await self._socket.aclose()


async def open_exec(
    api: ClusterApi, member: PodMember, command: Sequence[str], *, stdin: bool = False, tty: bool = False
) -> ProcessStreams:
    """Start a command in a container.

    Raises:
        PydError: The server refused; a missing program is reported by the streams' result instead.
    """
    api.require_writable()
    query: Query = {
        "command": list(command),
        "container": member.spec.name,
        "stdin": stdin or None,
        "stdout": True,
        "stderr": None if tty else True,
        "tty": tty or None,
    }
    return await _open(api, member, "exec", query, tty=tty)


async def open_attach(
    api: ClusterApi, member: PodMember, *, stdin: bool = False, tty: bool | None = None
) -> ProcessStreams:
    """Attach to the main process of a container."""
    if stdin:
        api.require_writable()
    tty = member.spec.tty if tty is None else tty
    query: Query = {
        "container": member.spec.name,
        "stdin": stdin or None,
        "stdout": True,
        "stderr": None if tty else True,
        "tty": tty or None,
    }
    return await _open(api, member, "attach", query, tty=tty)


async def _open(api: ClusterApi, member: PodMember, verb: str, query: Query, *, tty: bool) -> ProcessStreams:
    metadata = member.pod.metadata
    path = f"{object_path('pods', namespace=metadata.namespace, name=metadata.name)}/{verb}"
    return ProcessStreams(await open_websocket(api, path, query, PROTOCOLS), tty=tty)


async def run_command(
    api: ClusterApi, member: PodMember, command: Sequence[str], *, data: bytes = b"", max_output_bytes: int = 2**24
) -> tuple[int | None, bytes, bytes, str]:
    """Run a command and return its exit code, output, error output, and the server's text where it never ran.

    Raises:
        StreamInterrupted: Its output is larger than allowed, or the connection was lost.
    """
    from pyd_core.client.frames import FrameDecoder  # noqa: PLC0415 - loaded with the first command

    streams = await open_exec(api, member, command, stdin=bool(data))
    decoder = FrameDecoder()
    outputs: dict[int, list[bytes]] = {STDOUT: [], STDERR: []}
    size = 0
    try:
        if data:
            await streams.write(data)
            await streams.close_write()
        while piece := await streams.read():
            for frame in decoder.feed(piece):
                size += len(frame.data)
                if size > max_output_bytes:
                    raise StreamInterrupted("a command in the container printed more than expected")
                outputs[frame.stream].append(frame.data)
    finally:
        await streams.aclose()
    failure = streams.refusal or (safe(streams.result.message) if streams.result and streams.exit_code is None else "")
    return streams.exit_code, b"".join(outputs[STDOUT]), b"".join(outputs[STDERR]), failure
