"""Streams to a remote engine as ssh sessions, each running `docker system dial-stdio`."""

from __future__ import annotations

import asyncio
import socket
from asyncio.subprocess import DEVNULL
from contextlib import suppress
from pathlib import Path

from pyd_core.client.endpoint import Endpoint
from pyd_core.client.transport import ssh_failures
from pyd_core.client.transport.lifeline import die_with_parent
from pyd_core.errors import PydError
from pyd_core.model.base import encode
from pyd_core.tasks import TaskOwner

MAX_SESSIONS = 10
"""sshd_config(5), MaxSessions: what a connection may carry by default. Further streams wait for one to end."""


class Sessions:
    """A local socket whose every connection becomes a session's stdin and stdout; ends and half-ends pass through."""

    def __init__(self, path: Path, command: list[str], endpoint: Endpoint) -> None:
        self._path = path
        self._command = command
        self._endpoint = endpoint
        self._tasks = TaskOwner(on_error=lambda _error: None)
        self._listener = socket.socket(socket.AF_UNIX)
        self._free = asyncio.Semaphore(MAX_SESSIONS)

    async def open(self) -> None:
        """Begin to accept connections."""
        self._listener.setblocking(False)
        self._listener.bind(str(self._path))
        self._listener.listen(128)
        self._tasks.start(self._accept(), name="ssh sessions")

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            connection, _ = await loop.sock_accept(self._listener)
            connection.setblocking(True)  # it becomes a program's stdin
            self._tasks.start(self._serve(connection), name="ssh session")

    async def _serve(self, connection: socket.socket) -> None:
        with connection:
            if self._free.locked():
                _refuse(connection, ssh_failures.too_many(self._endpoint, MAX_SESSIONS))
                return
            async with self._free:
                connection_fd = connection.fileno()
                process = await asyncio.create_subprocess_exec(
                    *self._command,
                    stdin=connection_fd,
                    stdout=connection_fd,
                    stderr=DEVNULL,
                    preexec_fn=die_with_parent(),
                    start_new_session=True,
                )
                connection.close()
                try:
                    await process.wait()
                finally:
                    if process.returncode is None:
                        with suppress(ProcessLookupError):
                            process.terminate()
                        await process.wait()

    async def aclose(self) -> None:
        """End all sessions."""
        await self._tasks.aclose()
        self._listener.close()


def _refuse(connection: socket.socket, error: PydError) -> None:
    """Says no in the engine's place."""
    body = encode({"message": f"{error.message}; {error.hint}"})
    head = f"HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
    connection.sendall(head.encode() + body)
