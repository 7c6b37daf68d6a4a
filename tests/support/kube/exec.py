"""Exec as a kubelet serves it: a process of this machine behind the channels of a client."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import pty
import struct
import termios
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from pyd_core.tasks import TaskOwner
from support.kube.channels import CLOSE, RESIZE, STDERR, STDIN, STDOUT, Channels

RUNTIME_FAILURE = b"unable to start container process: exec: "
"""Part of an engine's error for a program that it could not start."""


@dataclass(frozen=True, kw_only=True)
class Program:
    """A program to run.

    Attributes:
        command: It and its arguments.
        tty: Whether it runs on a terminal of its own.
        stdin: Whether the client sends input.
        environment: Variables added to those of this process.
        name: The command of the client, as errors name it.
    """

    command: list[str]
    tty: bool = False
    stdin: bool = True
    environment: dict[str, str] = field(default_factory=dict)
    name: str = ""


async def serve_exec(channels: Channels, program: Program) -> None:
    """Run a program, relay its streams, and send its result."""
    await channels.open()
    master, slave = pty.openpty() if program.tty else (-1, -1)
    pipe: Any = slave if program.tty else asyncio.subprocess.PIPE
    try:
        process = await asyncio.create_subprocess_exec(
            *program.command,
            stdin=pipe if program.tty or program.stdin else asyncio.subprocess.DEVNULL,
            stdout=pipe,
            stderr=pipe,
            env={**os.environ, **program.environment},
            start_new_session=True,
        )
    except OSError as error:
        text = "executable file not found in $PATH" if error.errno == 2 else "permission denied"
        await channels.finish(_not_started(program.command[0], text))
        return
    finally:
        if slave >= 0:
            os.close(slave)
    relay = _Relay(channels, process, master)
    async with TaskOwner(lambda _: None) as tasks:
        outputs = [tasks.start(copying) for copying in relay.outputs()]
        tasks.start(relay.read_input())
        await asyncio.gather(*outputs)
        code = await process.wait()
        if relay.refusal and code in {126, 127}:
            text = relay.refusal.decode().strip().rpartition("exec: ")[2].partition(": ")[2].removesuffix(": unknown")
            result = _not_started(program.name or program.command[0], text)
        else:
            await channels.send(STDERR, relay.refusal)
            result = _result(code)
        await channels.finish(result)
    if master >= 0:
        os.close(master)


def _not_started(command: str, text: str) -> dict[str, Any]:
    message = (
        "Internal error occurred: OCI runtime exec failed: exec failed: unable to start container process: exec: "
        f'"{command}": {text}'
    )
    return {"metadata": {}, "status": "Failure", "message": message, "reason": "InternalError", "code": 500}


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


class _Relay:
    """The streams between a process and its client.

    Attributes:
        refusal: What a container runtime said when it could not start the program; not sent on as output.
    """

    def __init__(self, channels: Channels, process: asyncio.subprocess.Process, master: int) -> None:
        self._channels, self._process, self._master = channels, process, master
        self.refusal = b""

    def outputs(self) -> list[Any]:
        """Return what copies the output."""
        if self._master >= 0:
            return [self._copy_terminal()]
        return [self._copy(self._process.stdout, STDOUT), self._copy(self._process.stderr, STDERR)]

    async def _send(self, channel: int, data: bytes) -> None:
        if self.refusal or RUNTIME_FAILURE in data:
            self.refusal += data
        else:
            await self._channels.send(channel, data)

    async def _copy(self, stream: asyncio.StreamReader | None, channel: int) -> None:
        while stream is not None and (data := await stream.read(8192)):
            await self._send(channel, data)

    async def _copy_terminal(self) -> None:
        os.set_blocking(self._master, False)
        while True:
            try:
                data = os.read(self._master, 8192)
            except BlockingIOError:
                await self._ready(asyncio.get_running_loop().add_reader, asyncio.get_running_loop().remove_reader)
                continue
            except OSError:
                return
            if not data:
                return
            await self._send(STDOUT, data)

    async def _write_terminal(self, data: bytes) -> None:
        while data:
            try:
                data = data[os.write(self._master, data) :]
            except BlockingIOError:
                await self._ready(asyncio.get_running_loop().add_writer, asyncio.get_running_loop().remove_writer)

    async def _ready(self, add: Callable[..., None], remove: Callable[[int], bool]) -> None:
        """Wait until the terminal can be read or written."""
        ready = asyncio.Event()
        add(self._master, ready.set)
        try:
            await ready.wait()
        finally:
            remove(self._master)

    async def read_input(self) -> None:
        """Pass the client's input on; end the process when the client goes away."""
        while (message := await self._channels.receive()) is not None:
            channel, data = message
            stdin = self._process.stdin
            if channel == STDIN and self._master >= 0:
                await self._write_terminal(data)
            elif channel == STDIN and stdin is not None:
                stdin.write(data)
                with suppress(ConnectionError):
                    await stdin.drain()
            elif channel == CLOSE and stdin is not None:
                stdin.close()
            elif channel == RESIZE and self._master >= 0:
                size = json.loads(data)
                fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", size["Height"], size["Width"], 0, 0))
        if self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.terminate()
