"""Commands in running containers: `docker exec`.

The OCI runtime starts the process and exits (`exec --detach`). The engine holds the streams and, as the subreaper of
orphans, gets the exit code. So a command costs no process besides its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
from collections.abc import Sequence

from pyd_core.daemon.backlog import MAX_MEMORY_BYTES, Backlog
from pyd_core.daemon.containers import apparmor, capabilities, files, oci_spec, users
from pyd_core.daemon.containers.attach import frame
from pyd_core.daemon.containers.container import ContainerLookup, EngineContainer
from pyd_core.daemon.containers.exec_record import Exec, ExecBody
from pyd_core.daemon.containers.streams import ContainerStreams
from pyd_core.daemon.duplex import UpgradedConnection
from pyd_core.daemon.events import EventBus
from pyd_core.daemon.images.changes import merge_env
from pyd_core.daemon.networks import legacy_links
from pyd_core.daemon.runtime import subprocesses
from pyd_core.daemon.runtime.oci import failure, write_plan
from pyd_core.daemon.runtime.planned_spec import PlannedProcess
from pyd_core.daemon.runtime.reaper import OrphanReaper
from pyd_core.daemon.runtime.runtime_choice import Runtimes
from pyd_core.detach_keys import DetachKeys, parse_keys
from pyd_core.errors import Conflict, InvalidInput, PydError
from pyd_core.linux import pipes
from pyd_core.linux.reaper import has_failed
from pyd_core.tasks import TaskOwner

START_TIMEOUT_S = 60.0
"""How long the engine waits for a command of its own to start; the runtime may hang in a container without memory."""
DRAIN_TIMEOUT_S = 2.0
"""How long output is read after the command's end where another process holds the streams open."""

NOT_STARTED = 126
"""The exit code of a command that couldn't be started for any reason, as in Docker Engine."""


def create(container: EngineContainer, body: ExecBody, requested_name: str) -> Exec:
    """Create a command.

    Args:
        container: Where it is to run.
        body: The request.
        requested_name: The container's name as the client wrote it.

    Raises:
        Conflict: The container doesn't run, is paused, or waits to be started again.
        InvalidInput: There is no command.
    """
    record = container.record
    if record.status == "paused":
        raise Conflict(f"Container {requested_name} is paused, unpause the container before exec")
    if record.status == "restarting":
        raise Conflict(f"Container {record.id} is restarting, wait until the container is running")
    if not record.running:
        raise Conflict(f"container {record.id} is not running")
    if not body.cmd or not body.cmd[0]:
        raise InvalidInput("No exec command specified")
    exec_ = Exec(container, body)
    container.execs[exec_.id] = exec_
    return exec_


def plan_process(exec_: Exec, links: Sequence[str] = ()) -> PlannedProcess:
    """Plan a command's process (config.md, "Process"); `links` are the variables about linked containers."""
    record, body = exec_.container.record, exec_.body
    identity = users.look_up(exec_.container.root, body.user or record.config.user, record.host.group_add)
    security = oci_spec.Security.parse(record.host.security_opt)
    held = capabilities.capabilities(
        add=record.host.cap_add,
        drop=record.host.cap_drop,
        privileged=record.host.privileged or body.privileged,
    )
    held = [name for name in held if name in capabilities.possible()]
    confined = apparmor.profile(record.host, security.apparmor, is_supported=apparmor.supported())
    planned = oci_spec.process(record, identity, held, security, apparmor=confined, linked=links)
    env = merge_env([variable for variable in planned["env"] if not variable.startswith("TERM=")], body.env)
    if body.tty and not any(variable.startswith("TERM=") for variable in env):
        env.append("TERM=xterm")
    planned["args"], planned["env"], planned["terminal"] = body.cmd, env, body.tty
    if body.working_dir:
        planned["cwd"] = body.working_dir
    if body.console_size and len(body.console_size) == 2:
        planned["consoleSize"] = {"height": body.console_size[0], "width": body.console_size[1]}
    return planned


class ExecRunner:
    """Runs commands in containers."""

    def __init__(
        self,
        *,
        containers: ContainerLookup,
        runtimes: Runtimes,
        orphans: OrphanReaper,
        events: EventBus,
        tasks: TaskOwner,
    ) -> None:
        self._containers = containers
        self._runtimes = runtimes
        self._orphans = orphans
        self._events = events
        self._tasks = tasks

    def announce(self, exec_: Exec, what: str) -> None:
        """Emit an event about a command."""
        action = f"{what}: {exec_.body.cmd[0]} {' '.join(exec_.body.cmd[1:])}"
        self._events.emit("container", action, exec_.container.id, exec_.container.attributes(execID=exec_.id))

    async def start(self, exec_: Exec, streams: ContainerStreams) -> bytes:
        """Start a command.

        Returns:
            The error, where the command's own error output doesn't carry it. It runs if `exec_.running`.
        """
        exec_.started = True
        try:
            return await self._start(
                exec_, streams, plan_process(exec_, legacy_links.environment(self._containers, exec_.container.record))
            )
        except PydError as error:  # for example, its user doesn't exist
            exec_.code = NOT_STARTED
            streams.started()  # nothing will write into them
            return f"{error.message}\r\n".encode()
        finally:
            exec_.settled.set()

    async def serve(self, exec_: Exec, wire: UpgradedConnection, *, framed: bool) -> None:
        """Start a command with a client joined to it, until the command ends or the client leaves.

        A client that leaves ends neither the command nor its terminal; later output is discarded.

        Args:
            exec_: The command.
            wire: The connection.
            framed: Whether each piece of output has a header with its stream.
        """
        streams = ContainerStreams(exec_, attached=True)
        try:
            problem = await self.start(exec_, streams)
            backlog = Backlog(MAX_MEMORY_BYTES)
            if problem:
                backlog.put(frame(2, problem) if framed else problem)
            async with TaskOwner(on_error=lambda _: None) as owner:
                outputs = streams.outputs.items()
                collecting = owner.start(
                    _wait_for_all(
                        [owner.start(_collect(fd, number if framed else 0, backlog)) for number, fd in outputs]
                    )
                )
                delivering = owner.start(_deliver(backlog, wire))
                leaving = owner.start(self._forward_until_gone(exec_, streams, wire))
                gone = {delivering, leaving}
                ended = owner.start(subprocesses.ended(exec_.pid)) if exec_.running else collecting
                await asyncio.wait({ended, *gone}, return_when=asyncio.FIRST_COMPLETED)
                if ended.done():
                    # Read all that the command has written before its streams are closed, however slow the client is.
                    backlog.release()
                    await asyncio.wait(
                        {collecting, *gone}, timeout=DRAIN_TIMEOUT_S, return_when=asyncio.FIRST_COMPLETED
                    )
                    backlog.end()
                    await asyncio.wait(gone, return_when=asyncio.FIRST_COMPLETED)
                if exec_.pid and ended.done():
                    await exec_.ended.wait()  # the client asks for the exit code as soon as the stream ends
        finally:
            if exec_.running:
                self._tasks.start(discard(exec_, streams))
            else:
                streams.close()

    async def capture(
        self, container: EngineContainer, command: list[str], *, timeout_s: float, max_bytes: int, output: bytearray
    ) -> tuple[int, bytes]:
        """Run a command and return its exit code and its output, up to `max_bytes`.

        Args:
            container: Where it runs.
            command: The command and its arguments.
            timeout_s: How long it may take.
            max_bytes: How much of its output is kept.
            output: Gets the output as it comes, so that the caller has it also after a timeout.

        Raises:
            TimeoutError: It took longer than `timeout_s`; it is killed.
        """
        body = ExecBody(cmd=command, attach_stdout=True, attach_stderr=True)
        exec_ = create(container, body, container.id)
        for what in ("exec_create", "exec_start"):
            self.announce(exec_, what)
        streams = ContainerStreams(exec_, attached=True)

        async def keep(fd: int) -> None:
            while data := await pipes.read(fd):
                output.extend(data[: max_bytes - len(output)])

        try:
            problem = await asyncio.wait_for(self.start(exec_, streams), START_TIMEOUT_S)
            async with TaskOwner(on_error=lambda _: None) as owner:
                reading = [owner.start(keep(fd)) for fd in streams.outputs.values()]
                if exec_.running:
                    await asyncio.wait_for(exec_.ended.wait(), timeout_s)
                await asyncio.wait(reading, timeout=DRAIN_TIMEOUT_S)
        finally:
            exec_.end()
            streams.close()
            container.execs.pop(exec_.id, None)
        return exec_.code if exec_.code is not None else 137, bytes(output) or problem

    async def _start(self, exec_: Exec, streams: ContainerStreams, plan: PlannedProcess) -> bytes:
        container = exec_.container
        runtime = self._runtimes.of(container.record)
        base = container.bundle / f"exec-{exec_.id[:16]}"
        planned = base.with_suffix(".json")
        write_plan(planned, plan)
        pid_file = base.with_suffix(".pid")
        log_file = base.with_suffix(".log")
        logged = ["--log", str(log_file), "--log-format", "json"]
        command = [
            *runtime.arguments,
            *logged,
            "exec",
            "--detach",
            "--process",
            str(planned),
            "--pid-file",
            str(pid_file),
        ]
        if streams.console is not None:
            command += ["--tty", "--console-socket", streams.console_path]
        ids = files.id_map_of(container)
        if ids is not None:
            streams.give(*ids.root)
        starter, errors = await _spawn([*command, container.id], streams)
        streams.started()
        try:
            async with TaskOwner(on_error=lambda _: None) as owner:
                taking = owner.start(streams.take_terminal()) if streams.console is not None else None
                with subprocesses.awaiting(starter, group=True):
                    await subprocesses.ended(starter.pid)
                    start_failed = has_failed(starter.pid)
                    if start_failed:
                        # Its processes in the container's pid namespace would keep the first process there from ending.
                        os.killpg(starter.pid, signal.SIGKILL)
                    starter.wait()
                if taking is not None and not start_failed:
                    await taking
            os.set_blocking(errors, False)
            try:
                error_output = os.read(errors, 65536) if start_failed else b""
            except BlockingIOError:
                error_output = b""
        finally:
            os.close(errors)
            planned.unlink(missing_ok=True)
        why = str(failure(runtime.name, log_file.read_bytes())) if start_failed and log_file.exists() else ""
        log_file.unlink(missing_ok=True)
        if start_failed:
            exec_.code = NOT_STARTED
            return b"" if 2 in streams.outputs else error_output or why.encode()
        exec_.pid = int(pid_file.read_text())
        pid_file.unlink()
        exec_.running = True
        self._tasks.start(self._watch_end(exec_))
        return b""

    async def _watch_end(self, exec_: Exec) -> None:
        await subprocesses.ended(exec_.pid)
        code = self._orphans.code(exec_.pid)
        exec_.code = 137 if code is None else code
        exec_.running = False
        exec_.ended.set()
        attributes = exec_.container.attributes(execID=exec_.id, exitCode=str(exec_.code))
        self._events.emit("container", "exec_die", exec_.container.id, attributes)
        loop = asyncio.get_running_loop()
        loop.call_later(300, exec_.container.execs.pop, exec_.id, None)

    async def _forward_until_gone(self, exec_: Exec, streams: ContainerStreams, wire: UpgradedConnection) -> None:
        """Forward the client's input until it types the detach keys or leaves."""
        async with TaskOwner(on_error=lambda _: None) as owner:
            typing = owner.start(self._forward_input(exec_, streams, wire))
            gone = owner.start(wire.hung_up())
            await asyncio.wait({typing, gone}, return_when=asyncio.FIRST_COMPLETED)

    async def _forward_input(self, exec_: Exec, streams: ContainerStreams, wire: UpgradedConnection) -> None:
        detacher = (
            DetachKeys(parse_keys(exec_.body.detach_keys)) if exec_.body.tty and exec_.body.attach_stdin else None
        )
        with contextlib.suppress(OSError):  # the command closed its input, or the client is gone
            while data := await wire.read():
                detached = False
                if detacher is not None:
                    data, detached = detacher.feed(data)
                if streams.stdin >= 0 and exec_.body.attach_stdin:
                    await pipes.write(streams.stdin, data)
                if detached:
                    attributes = exec_.container.attributes(execID=exec_.id)
                    self._events.emit("container", "exec_detach", exec_.container.id, attributes)
                    return
        streams.close_stdin()
        if not wire.closing:
            await asyncio.Event().wait()


async def _spawn(command: list[str], streams: ContainerStreams) -> tuple[subprocess.Popen[bytes], int]:
    """Run the runtime; return its process and a pipe of its errors, unless the command's error output carries them."""
    errors, theirs = os.pipe()
    stderr = theirs if streams.console is not None or 2 not in streams.outputs else streams.theirs[2]
    try:
        starter = await subprocesses.spawn(
            command, stdin=streams.theirs[0], stdout=streams.theirs[1], stderr=stderr, process_group=0
        )
    except BaseException:
        os.close(errors)
        raise
    finally:
        os.close(theirs)
    return starter, errors


async def _wait_for_all(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        await task


async def _collect(fd: int, stream: int, backlog: Backlog) -> None:
    while data := await pipes.read(fd):
        backlog.put(frame(stream, data) if stream else data)
        await backlog.room()


async def _deliver(backlog: Backlog, wire: UpgradedConnection) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await backlog.take():
            wire.write(data)
            await wire.drain()


async def discard(exec_: Exec, streams: ContainerStreams) -> None:
    """Keep the streams of a command without a client open, and discard its output."""
    try:
        async with TaskOwner(on_error=lambda _: None) as owner:
            reading = owner.start(_wait_for_all([owner.start(_discard(fd)) for fd in streams.outputs.values()]))
            ended = owner.start(exec_.ended.wait())
            await asyncio.wait({reading, ended}, return_when=asyncio.FIRST_COMPLETED)
            await exec_.ended.wait()
    finally:
        streams.close()


async def _discard(fd: int) -> None:
    while await pipes.read(fd):
        pass
