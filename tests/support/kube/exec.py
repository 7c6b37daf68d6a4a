"""Exec as a kubelet serves it: a process of this machine behind the channels of a WebSocket."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import pty
import struct
import termios
from contextlib import suppress
from typing import Any

from pyd_core.tasks import TaskOwner
from support.kube.wire import ServerSocket

STDIN, STDOUT, STDERR, RESULT, RESIZE, CLOSE = 0, 1, 2, 3, 4, 255


async def serve_exec(socket: ServerSocket, command: list[str], *, tty: bool, environment: dict[str, str]) -> None:
    """Run a command, relay its streams, and send its result."""
    await socket.send(bytes([STDOUT]))  # the first frame is an empty one
    master, slave = pty.openpty() if tty else (-1, -1)
    pipe: Any = slave if tty else asyncio.subprocess.PIPE
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
            env={**os.environ, **environment},
            start_new_session=True,
        )
    except OSError as error:
        text = (
            f"Internal error occurred: OCI runtime exec failed: exec failed: unable to start container process: exec: "
            f'"{command[0]}": {"executable file not found in $PATH" if error.errno == 2 else "permission denied"}'
        )
        body = {"metadata": {}, "status": "Failure", "message": text, "reason": "InternalError", "code": 500}
        await socket.send(bytes([RESULT]) + json.dumps(body).encode())
        await socket.close()
        return
    finally:
        if slave >= 0:
            os.close(slave)
    async with TaskOwner(lambda _: None) as tasks:
        outputs = (
            [tasks.start(_copy_terminal(master, socket))]
            if tty
            else [
                tasks.start(_copy(process.stdout, socket, STDOUT)),
                tasks.start(_copy(process.stderr, socket, STDERR)),
            ]
        )
        tasks.start(_input(process, master, socket))
        await asyncio.gather(*outputs)
        code = await process.wait()
        await socket.send(bytes([RESULT]) + json.dumps(_result(code)).encode())
        await socket.close()
    if master >= 0:
        os.close(master)


def _result(code: int) -> dict[str, Any]:
    if code == 0:
        return {"metadata": {}, "status": "Success"}
    code = 128 - code if code < 0 else code
    return {
        "metadata": {},
        "status": "Failure",
        "message": f"command terminated with non-zero exit code: exit status {code}",
        "reason": "NonZeroExitCode",
        "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]},
    }


async def _copy(stream: asyncio.StreamReader | None, socket: ServerSocket, channel: int) -> None:
    while stream is not None and (data := await stream.read(8192)):
        await socket.send(bytes([channel]) + data)


async def _copy_terminal(master: int, socket: ServerSocket) -> None:
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    loop.add_reader(master, readable.set)
    try:
        while True:
            await readable.wait()
            readable.clear()
            try:
                data = os.read(master, 8192)
            except OSError:
                return
            if not data:
                return
            await socket.send(bytes([STDOUT]) + data)
    finally:
        loop.remove_reader(master)


async def _input(process: asyncio.subprocess.Process, master: int, socket: ServerSocket) -> None:
    while (frame := await socket.receive()) is not None:
        opcode, data = frame
        if opcode == 8:
            break
        channel, payload = data[0], data[1:]
        if channel == STDIN and master >= 0:
            os.write(master, payload)
        elif channel == STDIN and process.stdin is not None:
            process.stdin.write(payload)
            with suppress(ConnectionError):
                await process.stdin.drain()
        elif channel == CLOSE and process.stdin is not None:
            process.stdin.close()
        elif channel == RESIZE and master >= 0:
            size = json.loads(payload)
            fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", size["Height"], size["Width"], 0, 0))
    if process.returncode is None:
        with suppress(ProcessLookupError):
            process.terminate()


async def serve_port(socket: ServerSocket, port: int) -> None:
    """Relay to a port of this machine, as a kubelet does to a pod's."""
    number = port.to_bytes(2, "little")
    await socket.send(b"\x00" + number)
    await socket.send(b"\x01" + number)
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        await socket.send(b"\x01" + f"error forwarding port {port} to pod: connection refused".encode())
        await socket.close()
        return
    async with TaskOwner(lambda _: None) as tasks:

        async def receive() -> None:
            while (frame := await socket.receive()) is not None and frame[0] != 8:
                writer.write(frame[1][1:])
                await writer.drain()
            writer.close()

        tasks.start(receive())
        while data := await reader.read(8192):
            await socket.send(b"\x00" + data)
        await socket.close()
    writer.close()
