"""Processes in containers of a build: `LLBBridge.ExecProcess`, one stream for all processes of a client."""

from __future__ import annotations

import signal
from typing import Any

from grpclib.const import Status

from pyd_core.buildkit.proto import gateway_pb2
from pyd_core.buildkit.proto.status_pb2 import Status as StatusMessage
from pyd_core.daemon.build.build import Build
from pyd_core.daemon.build.interfaces import BuildProcess
from pyd_core.errors import InvalidInput, NotFound, PydError
from pyd_core.tasks import TaskOwner

MAX_PROCESSES = 100
ExecMessage = gateway_pb2.ExecMessage


class _Processes:
    """The processes of one stream."""

    def __init__(self, stream: Any, build: Build, owner: TaskOwner) -> None:
        self._stream = stream
        self._build = build
        self._owner = owner
        self._running: dict[str, BuildProcess] = {}

    async def handle(self, message: gateway_pb2.ExecMessage) -> None:
        name = message.ProcessID
        kind = message.WhichOneof("Input")
        if kind == "Init":
            if not name or name in self._running or len(self._running) >= MAX_PROCESSES:
                raise InvalidInput(f"the process id {name[:64]!r} is empty or taken")
            await self._start(name, message.Init)
            return
        process = self._running.get(name)
        if process is None:
            return  # it has ended meanwhile
        if kind == "File":
            if message.File.Data:
                await process.write(message.File.Data)
            if message.File.EOF:
                await process.close_input()
        elif kind == "Resize":
            process.resize(min(message.Resize.Rows, 65535), min(message.Resize.Cols, 65535))
        elif kind == "Signal":
            process.kill(_signal(message.Signal.Name))

    async def _start(self, name: str, init: gateway_pb2.InitMessage) -> None:
        container = self._build.containers.get(init.ContainerID)
        if container is None:
            raise NotFound(f"no such container: {init.ContainerID[:100]}")
        secrets: dict[str, bytes] = {}
        for secret in init.secretenv:
            if self._build.session is None:
                raise NotFound("the build has no session for secrets")
            try:
                secrets[secret.name] = await self._build.session.secret(secret.ID)
            except NotFound:
                if not secret.optional:
                    raise
        try:
            process = await container.start(init, secrets=secrets)
        except PydError as error:
            await self._exit(name, 126, error)
            return
        self._running[name] = process
        await self._stream.send_message(ExecMessage(ProcessID=name, Started=gateway_pb2.StartedMessage()))
        self._owner.start(self._follow(name, process))

    async def _follow(self, name: str, process: BuildProcess) -> None:
        error: PydError | None = None
        code = 255
        try:
            async for number, data in process.output():
                file = gateway_pb2.FdMessage(Fd=number, Data=data)
                await self._stream.send_message(ExecMessage(ProcessID=name, File=file))
            code = await process.wait()
        except PydError as caught:
            error = caught
        self._running.pop(name, None)
        for number in (1, 2):
            file = gateway_pb2.FdMessage(Fd=number, EOF=True)
            await self._stream.send_message(ExecMessage(ProcessID=name, File=file))
        await self._exit(name, code, error)

    async def _exit(self, name: str, code: int, error: PydError | None) -> None:
        exit_message = gateway_pb2.ExitMessage(Code=code)
        if error is not None or code:
            text = error.message if error is not None else f"exit code: {code}"
            exit_message.Error.CopyFrom(StatusMessage(code=Status.UNKNOWN.value, message=text))
        await self._stream.send_message(ExecMessage(ProcessID=name, Exit=exit_message))
        await self._stream.send_message(ExecMessage(ProcessID=name, Done=gateway_pb2.DoneMessage()))

    def kill_all(self) -> None:
        for process in self._running.values():
            process.kill(signal.SIGKILL)


def _signal(name: str) -> int:
    """Return a signal's number.

    Raises:
        InvalidInput: There is none of that name.
    """
    upper = name.upper()
    known = signal.Signals.__members__.get(upper if upper.startswith("SIG") else f"SIG{upper}")
    if known is None:
        raise InvalidInput(f"no such signal: {name[:40]}")
    return known


async def serve_process(stream: Any, build: Build) -> None:
    """Serve a stream until the client ends it; its processes end with it."""
    async with TaskOwner(on_error=lambda _: None) as owner:
        processes = _Processes(stream, build, owner)
        try:
            await stream.send_initial_metadata()
            while (message := await stream.recv_message()) is not None:
                await processes.handle(message)
        finally:
            processes.kill_all()
