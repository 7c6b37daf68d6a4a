"""Commands in a node's containers, run by containerd's tasks service."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from contextlib import suppress
from functools import cached_property

import msgspec
from google.protobuf.any_pb2 import Any as AnyMessage

from pyd_core.client.endpoint import Endpoint
from pyd_core.client.transport.base import Duplex
from pyd_core.cri.containerd_channel import CALL_TIMEOUT_S, ContainerdChannel
from pyd_core.cri.exec_streams import ExecStreams
from pyd_core.cri.node_source import NodeSource, find
from pyd_core.cri.proto import containers_grpc, containers_pb2, tasks_grpc, tasks_pb2
from pyd_core.errors import Conflict, InvalidInput, NotFound, ProtocolError, PydError, Unsupported
from pyd_core.model.execution import ExecState
from pyd_core.sanitise import safe
from pyd_core.tasks import TaskOwner

MAX_EXECS = 256
"""Ended commands whose exit codes are remembered."""
PROCESS_TYPE = "types.containerd.io/opencontainers/runtime-spec/1/Process"
"""The type of a process's specification, as containerd's clients name it."""


class _Command(msgspec.Struct):
    container: str
    process: dict[str, object]
    stdin: bool
    tty: bool
    streams: ExecStreams | None = None
    exit_code: int | None = None


def credentials(process: dict[str, object], user: str) -> dict[str, object]:
    """Return the fields of a process's specification that make it run as another user.

    Only root keeps the capabilities, as with Docker Engine: runc would grant them to any user.

    Args:
        process: The specification of the container's main process.
        user: `UID` or `UID:GID`.

    Raises:
        InvalidInput: The user isn't a number.
    """
    uid, _, gid = user.partition(":")
    if not uid.isdecimal() or (gid and not gid.isdecimal()):
        raise InvalidInput(f"not a numeric user: {safe(user)!r}", hint="write UID or UID:GID")
    fields: dict[str, object] = {"user": {"uid": int(uid), "gid": int(gid or 0)}}
    known = process.get("capabilities")
    if int(uid) and isinstance(known, dict):
        fields["capabilities"] = {"bounding": known.get("bounding")}
    return fields


class NodeExecs:
    """Commands; this object keeps their ids.

    Args:
        connection: The connection to containerd.
        source: The containers.
        endpoint: Says whether commands are allowed.
    """

    def __init__(self, connection: ContainerdChannel, source: NodeSource, endpoint: Endpoint) -> None:
        self._connection = connection
        self._source = source
        self._endpoint = endpoint
        self._commands: dict[str, _Command] = {}
        self._waits = TaskOwner(on_error=lambda _: None)

    @cached_property
    def _tasks(self) -> tasks_grpc.TasksStub:
        return tasks_grpc.TasksStub(self._connection.channel)

    async def create(
        self,
        container: str,
        command: Sequence[str],
        *,
        stdin: bool = False,
        tty: bool = False,
        env: Sequence[str] = (),
        user: str = "",
        workdir: str = "",
        privileged: bool = False,
        detach_keys: str = "",
    ) -> str:
        """Prepare a command in a running container and return its id.

        Raises:
            Conflict: The container doesn't run.
            InvalidInput: The user isn't a number.
            Refused: Changes aren't allowed.
            Unsupported: More rights than the container's are asked for.
        """
        del detach_keys
        self._endpoint.require_writable()
        if privileged:
            raise Unsupported("a command has its container's rights here", hint="pyd debug has more")
        target = await find(self._source, container)
        if target.status != "running":
            raise Conflict(f"{safe(target.name)} is not running ({target.status})", reference="not-running")
        while len(self._commands) >= MAX_EXECS:
            del self._commands[next(iter(self._commands))]
        identity = secrets.token_hex(32)
        process = await self._process(target.id)
        process |= {"args": list(command), "terminal": tty}
        known = process.get("env")
        process["env"] = [*(known if isinstance(known, list) else []), *env]
        if workdir:
            process["cwd"] = workdir
        if user:
            process |= credentials(process, user)
        self._commands[identity] = _Command(target.id, process, stdin, tty)
        return identity

    async def _process(self, identity: str) -> dict[str, object]:
        """Return the specification of a container's main process, with the fields that pyd doesn't know."""
        with self._connection.calls():
            response = await containers_grpc.ContainersStub(self._connection.channel).Get(
                containers_pb2.GetContainerRequest(id=identity),
                timeout=CALL_TIMEOUT_S,
                metadata=self._connection.metadata(),
            )
        try:
            process = msgspec.json.decode(response.container.spec.value)["process"]
        except (msgspec.DecodeError, KeyError, TypeError):
            raise ProtocolError("the runtime has no specification of the container") from None
        if not isinstance(process, dict):
            raise ProtocolError("the runtime has no specification of the container")
        return process

    async def start(self, exec_id: str, *, tty: bool = False) -> Duplex:
        """Start a command and return its streams."""
        command = self._get(exec_id)
        tty = tty or command.tty
        streams = command.streams = ExecStreams(stdin=command.stdin, tty=tty)
        spec = AnyMessage(type_url=PROCESS_TYPE, value=msgspec.json.encode({**command.process, "terminal": tty}))
        metadata = self._connection.metadata()
        try:
            with self._connection.calls():
                await self._tasks.Exec(
                    tasks_pb2.ExecProcessRequest(
                        container_id=command.container,
                        exec_id=exec_id,
                        stdin=streams.path("stdin"),
                        stdout=streams.path("stdout"),
                        stderr=streams.path("stderr"),
                        terminal=tty,
                        spec=spec,
                    ),
                    timeout=CALL_TIMEOUT_S,
                    metadata=metadata,
                )
                await self._tasks.Start(
                    tasks_pb2.StartRequest(container_id=command.container, exec_id=exec_id),
                    timeout=CALL_TIMEOUT_S,
                    metadata=metadata,
                )
        except PydError:
            await streams.aclose()
            await self._delete(command.container, exec_id)
            raise
        streams.begin()
        self._waits.start(self._wait(command, exec_id), name="end of a command")
        if command.stdin:
            self._waits.start(self._close_input(command, exec_id, streams), name="input of a command")
        return streams

    async def _wait(self, command: _Command, exec_id: str) -> None:
        with self._connection.calls():
            ended = await self._tasks.Wait(
                tasks_pb2.WaitRequest(container_id=command.container, exec_id=exec_id),
                metadata=self._connection.metadata(),
            )
        command.exit_code = ended.exit_status
        await self._delete(command.container, exec_id)

    async def _close_input(self, command: _Command, exec_id: str, streams: ExecStreams) -> None:
        """Let the shim close its own end of the input, which it holds open."""
        await streams.close_input.wait()
        with suppress(PydError), self._connection.calls():
            await self._tasks.CloseIO(
                tasks_pb2.CloseIORequest(container_id=command.container, exec_id=exec_id, stdin=True),
                timeout=CALL_TIMEOUT_S,
                metadata=self._connection.metadata(),
            )

    async def _delete(self, container: str, exec_id: str) -> None:
        with suppress(PydError), self._connection.calls():
            await self._tasks.DeleteProcess(
                tasks_pb2.DeleteProcessRequest(container_id=container, exec_id=exec_id),
                timeout=CALL_TIMEOUT_S,
                metadata=self._connection.metadata(),
            )

    async def start_detached(self, exec_id: str) -> None:
        """Refuse: nothing would read the command's output."""
        self._get(exec_id)
        raise Unsupported("a command can't run in the background here", hint="leave --detach out")

    async def inspect(self, exec_id: str) -> ExecState:
        """Return a command's state, or its exit code."""
        command = self._get(exec_id)
        return ExecState(id=exec_id, running=command.exit_code is None, exit_code=command.exit_code)

    async def resize(self, exec_id: str, *, rows: int, columns: int) -> None:
        """Set the size of a command's terminal."""
        command = self._get(exec_id)
        if command.streams is None:
            return
        with suppress(PydError), self._connection.calls():
            await self._tasks.ResizePty(
                tasks_pb2.ResizePtyRequest(container_id=command.container, exec_id=exec_id, width=columns, height=rows),
                timeout=CALL_TIMEOUT_S,
                metadata=self._connection.metadata(),
            )

    async def aclose(self) -> None:
        """Stop waiting for commands."""
        await self._waits.aclose()

    def _get(self, exec_id: str) -> _Command:
        command = self._commands.get(exec_id)
        if command is None:
            raise NotFound(f"no such exec: {exec_id[:12]}")
        return command
