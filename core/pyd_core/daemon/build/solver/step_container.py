"""Containers that clients open on results, for example to look into a failed step (`LLBBridge.NewContainer`)."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import signal
import struct
import subprocess
import termios
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from pyd_core.buildkit.proto import gateway_pb2, ops_pb2
from pyd_core.daemon.build.interfaces import BuildProcess, BuildSession
from pyd_core.daemon.build.solver import exec_plan
from pyd_core.daemon.build.solver.exec_step import PreparedStep, StepRunner
from pyd_core.daemon.build.solver.results import Result
from pyd_core.daemon.runtime import subprocesses
from pyd_core.daemon.runtime.oci import write_plan
from pyd_core.errors import Conflict, PydError
from pyd_core.linux import pipes

MAX_PENDING = 64
"""Chunks of output that wait for the client."""


class StepProcess:
    """A process in such a container; see `BuildProcess`."""

    def __init__(
        self, process: subprocess.Popen[bytes], *, stdin: int, streams: Mapping[int, int], pid_file: Path
    ) -> None:
        self._process = process
        self._stdin = stdin
        self._streams = dict(streams)
        self._pid_file = pid_file

    async def write(self, data: bytes) -> None:
        """Write to its standard input, or terminal."""
        if self._stdin >= 0:
            with contextlib.suppress(BrokenPipeError, OSError):
                await pipes.write(self._stdin, data)

    async def close_input(self) -> None:
        """End its standard input; a terminal gets ^D."""
        if self._stdin in self._streams.values():
            await self.write(b"\x04")
        elif self._stdin >= 0:
            os.close(self._stdin)
            self._stdin = -1

    async def output(self) -> AsyncIterator[tuple[int, bytes]]:
        """Yield its output with the stream's number, until all streams end."""
        queue: asyncio.Queue[tuple[int, bytes]] = asyncio.Queue(MAX_PENDING)

        async def read(number: int, fd: int) -> None:
            while data := await pipes.read(fd):
                await queue.put((number, data))
            await queue.put((number, b""))

        async with asyncio.TaskGroup() as group:
            for number, fd in self._streams.items():
                group.create_task(read(number, fd))
            remaining = len(self._streams)
            while remaining:
                number, data = await queue.get()
                if data:
                    yield number, data
                else:
                    remaining -= 1

    async def wait(self) -> int:
        """Return its exit code."""
        await subprocesses.ended(self._process.pid)
        code = self._process.wait()
        subprocesses.awaited.discard(self._process.pid)
        return 128 - code if code < 0 else code

    def resize(self, rows: int, columns: int) -> None:
        """Resize its terminal."""
        for fd in self._streams.values():
            with contextlib.suppress(OSError):
                fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows & 0xFFFF, columns & 0xFFFF, 0, 0))
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGWINCH)

    def kill(self, number: int) -> None:
        """Send it a signal."""
        if self._process.poll() is not None:
            return
        with contextlib.suppress(OSError, ValueError):
            fd = os.pidfd_open(int(self._pid_file.read_text()))
            try:
                signal.pidfd_send_signal(fd, number)
            finally:
                os.close(fd)

    def close(self) -> None:
        """Close its streams."""
        for fd in {self._stdin, *self._streams.values()}:
            if fd >= 0:
                with contextlib.suppress(OSError):
                    os.close(fd)
        self._stdin, self._streams = -1, {}


class StepContainer:
    """A container; see `BuildContainer`."""

    def __init__(
        self,
        runner: StepRunner,
        request: gateway_pb2.NewContainerRequest,
        inputs: Sequence[Result | None],
        session: BuildSession | None,
    ) -> None:
        self._runner = runner
        self._request = request
        self._results = [item or Result() for item in inputs]
        self._session = session
        self._stack = AsyncExitStack()
        self._step: PreparedStep | None = None
        self._processes: list[StepProcess] = []
        self._lock = asyncio.Lock()

    def _operation(self, message: gateway_pb2.InitMessage) -> ops_pb2.ExecOp:
        op = ops_pb2.ExecOp(network=self._request.Network, security=message.Security)
        op.meta.CopyFrom(message.Meta)
        op.meta.hostname = message.Meta.hostname or self._request.hostname
        op.meta.extraHosts.extend(self._request.extraHosts)
        for number, item in enumerate(self._request.Mounts):
            mount = op.mounts.add()
            mount.CopyFrom(item)
            mount.input = number
            mount.output = -1
        return op

    async def start(self, message: gateway_pb2.InitMessage, *, secrets: Mapping[str, bytes]) -> BuildProcess:
        """Start a process; the first one is the container's init process.

        Raises:
            EngineError: The runtime refuses.
            Conflict: The container has ended.
        """
        op = self._operation(message)
        exec_plan.check(op, frozenset({"network.host"} if op.network == ops_pb2.HOST else ()))
        async with self._lock:
            if self._step is None:
                self._step = await self._stack.enter_async_context(
                    self._runner.prepared(
                        self._stack, op, self._results, self._session, secrets=secrets, tty=message.Tty
                    )
                )
                arguments = ["run", "--bundle", str(self._step.state.bundle)]
            elif not (self._runner.runtime.state / self._step.key).exists():
                raise Conflict("the container's first process has ended")
            else:
                file = self._step.state.bundle / f"process-{len(self._processes)}.json"
                env = [f"{name}={value.decode(errors='surrogateescape')}" for name, value in secrets.items()]
                plan = self._runner.process_plan(self._step, op, tty=message.Tty)
                write_plan(file, {**plan, "env": [*plan["env"], *env]})
                arguments = ["exec", "--process", str(file)]
            process = await self._spawn(self._step, arguments, tty=message.Tty)
            self._processes.append(process)
            return process

    async def _spawn(self, step: PreparedStep, arguments: Sequence[str], *, tty: bool) -> StepProcess:
        runtime = self._runner.runtime
        pid_file = step.state.bundle / f"pid-{len(self._processes)}"
        command = [*runtime.arguments, *arguments, "--pid-file", str(pid_file), step.key]
        given: list[int] = []
        if tty:
            master, slave = os.openpty()
            given = [slave, slave, slave]
            streams, stdin = {1: master}, master
        else:
            pairs = [os.pipe() for _ in range(3)]
            given = [pairs[0][0], pairs[1][1], pairs[2][1]]
            streams, stdin = {1: pairs[1][0], 2: pairs[2][0]}, pairs[0][1]
        try:
            if self._runner.owner is not None and not tty:
                for fd in given:
                    os.fchown(fd, *self._runner.owner)
            process = await subprocesses.spawn(
                command, stdin=given[0], stdout=given[1], stderr=given[2], start_new_session=True
            )
        except BaseException:
            for fd in {stdin, *streams.values()}:
                os.close(fd)
            raise
        finally:
            for fd in set(given):
                os.close(fd)
        for fd in {stdin, *streams.values()}:
            os.set_blocking(fd, False)
        subprocesses.awaited.add(process.pid)
        return StepProcess(process, stdin=stdin, streams=streams, pid_file=pid_file)

    async def release(self) -> None:
        """Stop its processes and remove it."""
        async with self._lock:
            if self._step is not None and (self._runner.runtime.state / self._step.key).exists():
                with contextlib.suppress(PydError):
                    await self._runner.runtime.delete(self._step.key)
            for process in self._processes:
                await process.wait()
                process.close()
            self._processes.clear()
            await self._stack.aclose()
