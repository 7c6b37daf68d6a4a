"""The streams of a command in a container: three pipes, or a terminal from the runtime."""

from __future__ import annotations

import array
import asyncio
import contextlib
import os
import secrets
import socket
import stat
from typing import TYPE_CHECKING

from pyd_core.linux import pipes

if TYPE_CHECKING:
    from pyd_core.daemon.containers.exec_record import Exec


class ContainerStreams:
    """The three pipes of a command, or its terminal."""

    def __init__(self, exec_: Exec, *, attached: bool) -> None:
        self._exec = exec_
        body = exec_.body
        self.theirs: list[int] = []
        self.stdin = -1
        self.outputs: dict[int, int] = {}
        """The engine's ends by the command's descriptor: 1 or 2."""
        self.console: socket.socket | None = None
        self.name = ""
        self._directory = -1
        try:
            if body.tty:
                self._make_console()
            else:
                attached_streams = (body.attach_stdin, body.attach_stdout, body.attach_stderr)
                self._make_pipes(tuple(is_attached and attached for is_attached in attached_streams))
        except BaseException:  # no descriptor is left, for example
            self.close()
            raise

    def _make_console(self) -> None:
        self.name = secrets.token_hex(4)
        self._directory = os.open(self._exec.container.bundle, os.O_PATH | os.O_DIRECTORY)
        self.console = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        self.console.bind(self.console_path)
        self.console.listen(1)
        for _ in range(3):
            self.theirs.append(os.open(os.devnull, os.O_RDWR))

    def _make_pipes(self, is_piped: tuple[bool, ...]) -> None:
        for number in range(3):
            if not is_piped[number]:
                self.theirs.append(os.open(os.devnull, os.O_RDWR))
                continue
            reading, writing = os.pipe()
            ours = writing if number == 0 else reading
            self.theirs.append(reading if number == 0 else writing)
            os.set_blocking(ours, False)
            if number == 0:
                self.stdin = ours
            else:
                self.outputs[number] = ours

    @property
    def console_path(self) -> str:
        """Return the path of the socket for the terminal; through a descriptor, as `sun_path` has 108 bytes."""
        return f"/proc/{os.getpid()}/fd/{self._directory}/{self.name}"

    def give(self, uid: int, gid: int) -> None:
        """Give the command's ends to the root of its container, which may then give them to its user."""
        for fd in self.theirs:
            if stat.S_ISFIFO(os.fstat(fd).st_mode):
                os.fchown(fd, uid, gid)

    def started(self) -> None:
        """Close the command's ends."""
        for fd in self.theirs:
            os.close(fd)
        self.theirs = []

    async def take_terminal(self) -> None:
        """Receive the terminal from the runtime."""
        assert self.console is not None  # noqa: S101 - the caller has made it
        loop = asyncio.get_running_loop()
        peer, _ = await loop.sock_accept(self.console)
        try:
            await pipes.readable(peer.fileno())
            numbers = array.array("i")
            _, extra, _, _ = peer.recvmsg(4096, socket.CMSG_LEN(numbers.itemsize))
            for _, _, data in extra:
                numbers.frombytes(data[: numbers.itemsize])
        finally:
            peer.close()
        if not numbers:  # the runtime was killed before it sent the terminal
            return
        master = numbers[0]
        os.set_blocking(master, False)
        self._exec.master = self.stdin = master
        self.outputs = {1: master}

    def close_stdin(self) -> None:
        """Close the command's input."""
        if self.stdin >= 0 and self.stdin not in self.outputs.values():
            os.close(self.stdin)
        self.stdin = -1

    def close(self) -> None:
        """Close all streams."""
        self.started()
        self.close_stdin()
        for fd in self.outputs.values():
            os.close(fd)
        self.outputs = {}
        self._exec.master = -1
        if self.console is not None:
            self.console.close()
            with contextlib.suppress(OSError):
                os.unlink(self.name, dir_fd=self._directory)
            self.console = None
        if self._directory >= 0:
            os.close(self._directory)
            self._directory = -1
