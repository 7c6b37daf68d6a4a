"""A program that runs in a target's view with pipes, and a connection made in its network."""

from __future__ import annotations

import contextlib
import errno
import os
import select
import signal
import socket
import subprocess
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import msgspec

from pyd_core.debug.access import CommandOutcome
from pyd_core.debug.cgroup import remove_stale
from pyd_core.debug.failures import failure
from pyd_core.debug.interpreter import command_line, environment, seal_program
from pyd_core.debug.sessions.supervisor_process import MAX_PLAN_BYTES
from pyd_core.errors import KernelError, PydError
from pyd_core.linux.netns import run_inside

CHUNK = 65536
MAX_OUTPUT_BYTES = 64 << 20
"""Bytes of output that are held for callers that don't read as it arrives."""
MAX_STDERR_BYTES = 1 << 18
"""Bytes of stderr that are kept, the last."""
END_TIMEOUT_MS = 2000
"""Milliseconds between SIGTERM and SIGKILL."""
CONNECT_TIMEOUT_S = 5.0


class LocalProcess:
    """The `Process` that a session's plan makes: a supervisor of its own, on pipes.

    A fresh interpreter and no fork: this process may have threads.

    Args:
        plan: As `plan.make_plan` returns it, without a terminal.
        name: The target's name, safe to show.

    Raises:
        PydError: It can't be started.
    """

    def __init__(self, plan: dict[str, Any], name: str) -> None:
        self._name = name
        self._stdout = bytearray()
        self._stderr = bytearray()
        self._error: PydError | None = None
        self._code: int | None = None
        self._parents = [group["parent"] for group in plan["groups"]]
        self._status, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            for end in (self._status, theirs):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, MAX_PLAN_BYTES)
            program = seal_program()
            try:
                self._process = subprocess.Popen(
                    command_line(theirs.fileno()),
                    executable=f"/proc/self/fd/{program}",
                    env=environment(program),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    pass_fds=[theirs.fileno(), program],
                )
            finally:
                os.close(program)
        (stdin, self._input), (self._out, stdout), (complaints, stderr) = (os.pipe2(os.O_CLOEXEC) for _ in range(3))
        self._pipes = [self._input, self._out, complaints]
        self._outputs = {self._out: self._stdout, complaints: self._stderr}
        os.set_blocking(self._input, False)
        socket.send_fds(self._status, [msgspec.json.encode(plan)], [stdin, stdout, stderr])
        for descriptor in (stdin, stdout, stderr):
            os.close(descriptor)

    def write(self, data: bytes) -> None:
        """See `Process`; what it prints meanwhile is held."""
        rest = memoryview(data)
        while rest and self._input >= 0:
            if self._turn(writing=True):
                try:
                    rest = rest[os.write(self._input, rest) :]
                except BrokenPipeError:
                    break  # it reads no more; its exit status says why
                except BlockingIOError:
                    continue

    def close_input(self) -> None:
        """See `Process`."""
        if self._input >= 0:
            self._pipes.remove(self._input)
            os.close(self._input)
            self._input = -1

    def read(self, size: int = CHUNK) -> bytes:
        """See `Process`."""
        while not self._stdout and self._out in self._outputs:
            self._turn()
        data = bytes(self._stdout[:size])
        del self._stdout[: len(data)]
        return data

    def finish(self) -> CommandOutcome:
        """See `Process`.

        Raises:
            PydError: It couldn't be run, or printed more than can be held.
        """
        self.close_input()
        while self._outputs:
            self._turn()
        self._hear()
        self._close()
        if self._error is not None:
            raise self._error
        code = 128 + signal.SIGKILL if self._code is None else self._code
        return CommandOutcome(code=code, stdout=bytes(self._stdout), stderr=bytes(self._stderr))

    def end(self) -> None:
        """See `Process`: SIGTERM, and SIGKILL for what doesn't heed it."""
        if self._process.returncode is None:
            self._signal(signal.SIGTERM)
            if not self._has_ended(END_TIMEOUT_MS):
                self._signal(signal.SIGRTMIN)  # what the join takes for its client's end
        self._close()

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(number)

    def _has_ended(self, milliseconds: int) -> bool:
        """Return whether the session ends in time; output is thrown away, so that no full pipe holds it up."""
        try:
            pidfd = os.pidfd_open(self._process.pid)
        except ProcessLookupError:
            return True
        try:
            poll = select.poll()
            for descriptor in (pidfd, *self._outputs):
                poll.register(descriptor, select.POLLIN)
            while ready := poll.poll(milliseconds):
                for descriptor, _ in ready:
                    if descriptor == pidfd:
                        return True
                    if not os.read(descriptor, CHUNK):
                        poll.unregister(descriptor)
            return False
        finally:
            os.close(pidfd)

    def _close(self) -> None:
        self.close_input()
        while self._pipes:
            os.close(self._pipes.pop())
        self._outputs.clear()
        self._status.close()
        self._process.wait()
        remove_stale(self._parents)

    def _turn(self, *, writing: bool = False) -> bool:
        """Wait for an event and read the output; return True when input can be written."""
        poll = select.poll()
        for descriptor in self._outputs:
            poll.register(descriptor, select.POLLIN)
        if writing:
            poll.register(self._input, select.POLLOUT)
        can_write = False
        for descriptor, _ in poll.poll():
            if descriptor == self._input:
                can_write = True
                continue
            data = os.read(descriptor, CHUNK)
            buffer = self._outputs[descriptor]
            buffer += data
            if not data:
                del self._outputs[descriptor]
            if descriptor != self._out:
                del buffer[:-MAX_STDERR_BYTES]
            elif len(buffer) > MAX_OUTPUT_BYTES:
                self.end()
                raise PydError(
                    f"the program printed more than {MAX_OUTPUT_BYTES >> 20} MB", reference="too-much-output"
                )
        return can_write

    def _hear(self) -> None:
        """Read the join's messages to their end."""
        while message := self._status.recv(CHUNK):
            kind, *fields = message.decode(errors="replace").split("\0")
            if kind == "exit":
                status = int(fields[0])
                self._code = 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
            elif kind == "error" and self._error is None:
                call, number, subject = fields
                self._error = failure(call, int(number), subject, target=self._name)


class SocketProcess:
    """The `Process` that a TCP connection is."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection

    @classmethod
    def to(cls, process: int, addresses: Sequence[str], port: int) -> SocketProcess:
        """Connect to the first of some addresses that answers, in the network of an open `/proc/PID`.

        Raises:
            KernelError: None does; with the errno of the last.
        """
        last = KernelError("connect", errno.EADDRNOTAVAIL)
        for address in addresses:
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            # A socket stays in the namespace that it was made in, so only its making takes a thread there.
            connection = run_inside(
                f"/proc/self/fd/{process}/ns/net", partial(socket.socket, family, socket.SOCK_STREAM)
            )
            try:
                connection.settimeout(CONNECT_TIMEOUT_S)
                connection.connect((address, port))
            except TimeoutError:
                connection.close()
                last = KernelError("connect", errno.ETIMEDOUT, f"{address} port {port}")
            except OSError as error:
                connection.close()
                last = KernelError("connect", error.errno or 0, f"{address} port {port}")
            else:
                connection.settimeout(None)
                return cls(connection)
        raise last

    def write(self, data: bytes) -> None:
        """See `Process`."""
        self._guarded(lambda: self.socket.sendall(data))

    def close_input(self) -> None:
        """See `Process`."""
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_WR)

    def read(self, size: int = CHUNK) -> bytes:
        """See `Process`."""
        parts: list[bytes] = []
        self._guarded(lambda: parts.append(self.socket.recv(size)))
        return parts[0]

    def finish(self) -> CommandOutcome:
        """See `Process`."""
        self.close_input()
        data = bytearray()
        while len(data) < MAX_OUTPUT_BYTES and (part := self.read()):
            data += part
        self.end()
        return CommandOutcome(code=0, stdout=bytes(data), stderr=b"")

    def end(self) -> None:
        """See `Process`."""
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)  # wakes who waits in another thread
        self.socket.close()

    @staticmethod
    def _guarded(work: Callable[[], None]) -> None:
        try:
            work()
        except OSError as error:
            raise KernelError("connection", error.errno or errno.ETIMEDOUT) from error
