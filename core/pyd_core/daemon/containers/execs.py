"""Commands run in a running container: `docker exec`.

The OCI runtime starts the process and leaves (`exec --detach`); this process holds its streams and, being the parent
that orphans fall to, learns its exit code. So a command costs no process besides its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
from collections.abc import Sequence
from typing import Any

from pyd_core.daemon.backlog import MAX_MEMORY_BYTES, Backlog
from pyd_core.daemon.containers import apparmor, capabilities, files, spec, users
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
from pyd_core.daemon.runtime.reaper import Orphans
from pyd_core.daemon.runtime.runtime_choice import Runtimes
from pyd_core.detach_keys import Detacher
from pyd_core.errors import Conflict, InvalidInput, PydError
from pyd_core.linux import pipes
from pyd_core.linux.reaper import has_failed
from pyd_core.tasks import TaskOwner

LINGER = 2.0
"""Seconds that output is still waited for after the command ended, where something else holds the streams open."""

NOT_STARTED = 126
"""The exit code of a command that couldn't be started, whatever the reason, as Docker Engine has it."""


def create(container: EngineContainer, body: ExecBody, asked: str) -> Exec:
    """Prepares a command.

    Args:
        container: Where it is to run.
        body: What.
        asked: The container as the client named it.

    Raises:
        Conflict: The container doesn't run, is paused, or waits to be started again.
        InvalidInput: There is no command.
    """
    record = container.record
    if record.status == "paused":
        raise Conflict(f"Container {asked} is paused, unpause the container before exec")
    if record.status == "restarting":
        raise Conflict(f"Container {record.id} is restarting, wait until the container is running")
    if not record.running:
        raise Conflict(f"container {record.id} is not running")
    if not body.cmd or not body.cmd[0]:
        raise InvalidInput("No exec command specified")
    made = Exec(container, body)
    container.execs[made.id] = made
    return made


def process(made: Exec, links: Sequence[str] = ()) -> dict[str, Any]:
    """Plans its process, as config.md has it; `links` are the variables that tell of linked containers."""
    record, body = made.container.record, made.body
    identity = users.look_up(made.container.root, body.user or record.config.user, record.host.group_add)
    security = spec.Security.parse(record.host.security_opt)
    held = capabilities.capabilities(
        add=record.host.cap_add,
        drop=record.host.cap_drop,
        privileged=record.host.privileged or body.privileged,
    )
    held = [name for name in held if name in capabilities.possible()]
    confined = apparmor.profile(record.host, security.apparmor, there=apparmor.supported())
    planned = spec.process(record, identity, held, security, apparmor=confined, linked=links)
    env = merge_env([each for each in planned["env"] if not each.startswith("TERM=")], body.env)
    if body.tty and not any(each.startswith("TERM=") for each in env):
        env.append("TERM=xterm")
    planned |= {"args": body.cmd, "env": env, "terminal": body.tty}
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
        orphans: Orphans,
        events: EventBus,
        tasks: TaskOwner,
    ) -> None:
        self._containers = containers
        self._runtimes = runtimes
        self._orphans = orphans
        self._events = events
        self._tasks = tasks

    def announce(self, made: Exec, what: str) -> None:
        """Tells of it by an event."""
        action = f"{what}: {made.body.cmd[0]} {' '.join(made.body.cmd[1:])}"
        self._events.emit("container", action, made.container.id, made.container.attributes(execID=made.id))

    async def start(self, made: Exec, streams: ContainerStreams) -> bytes:
        """Starts the command.

        Returns:
            What went wrong, where the command's own error output doesn't carry it. It runs if `made.running`.
        """
        made.started = True
        try:
            return await self._start(
                made, streams, process(made, legacy_links.environment(self._containers, made.container.record))
            )
        except PydError as error:  # its user isn't there, say
            made.code = NOT_STARTED
            streams.started()  # nothing will write into them
            return f"{error.message}\r\n".encode()
        finally:
            made.settled.set()

    async def serve(self, made: Exec, wire: UpgradedConnection, *, framed: bool) -> None:
        """Starts the command with a client joined to it, until it ends or the client leaves.

        A client that leaves ends neither the command nor its terminal: what is printed then is thrown away.

        Args:
            made: The command.
            wire: The connection.
            framed: Each piece of output comes behind a header that says of which stream it is.
        """
        streams = ContainerStreams(made, attached=True)
        try:
            problem = await self.start(made, streams)
            backlog = Backlog(MAX_MEMORY_BYTES)
            if problem:
                backlog.put(frame(2, problem) if framed else problem)
            async with TaskOwner(on_error=lambda _: None) as owner:
                outputs = streams.outputs.items()
                collecting = owner.start(
                    _all([owner.start(_collect(fd, number if framed else 0, backlog)) for number, fd in outputs])
                )
                delivering = owner.start(_deliver(backlog, wire))
                leaving = owner.start(self._until_gone(made, streams, wire))
                gone = {delivering, leaving}
                ended = owner.start(subprocesses.ended(made.pid)) if made.running else collecting
                await asyncio.wait({ended, *gone}, return_when=asyncio.FIRST_COMPLETED)
                if ended.done():
                    # Read all that the command has written before its streams are closed, however slow the client is.
                    backlog.release()
                    await asyncio.wait({collecting, *gone}, timeout=LINGER, return_when=asyncio.FIRST_COMPLETED)
                    backlog.end()
                    await asyncio.wait(gone, return_when=asyncio.FIRST_COMPLETED)
                if made.pid and ended.done():
                    await made.over.wait()  # the client asks for the exit code as soon as the stream ends
        finally:
            if made.running:
                self._tasks.start(discard(made, streams))
            else:
                streams.close()

    async def capture(
        self, container: EngineContainer, command: list[str], *, seconds: float, most: int, found: bytearray
    ) -> tuple[int, bytes]:
        """Runs a command and returns its exit code and what it printed, up to `most` bytes.

        Args:
            container: Where it runs.
            command: What runs.
            seconds: How long it may take.
            most: Bytes of its output that are kept.
            found: Gets its output as it comes, so that the caller has it also when it takes too long.

        Raises:
            TimeoutError: It took longer than `seconds`; it is killed.
        """
        body = ExecBody(cmd=command, attach_stdout=True, attach_stderr=True)
        made = create(container, body, container.id)
        for what in ("exec_create", "exec_start"):
            self.announce(made, what)
        streams = ContainerStreams(made, attached=True)

        async def keep(fd: int) -> None:
            while data := await pipes.read(fd):
                found.extend(data[: most - len(found)])

        try:
            problem = await self.start(made, streams)
            async with TaskOwner(on_error=lambda _: None) as owner:
                reading = [owner.start(keep(fd)) for fd in streams.outputs.values()]
                if made.running:
                    await asyncio.wait_for(made.over.wait(), seconds)
                await asyncio.wait(reading, timeout=LINGER)
        finally:
            made.end()
            streams.close()
            container.execs.pop(made.id, None)
        return made.code if made.code is not None else 137, bytes(found) or problem

    async def _start(self, made: Exec, streams: ContainerStreams, plan: dict[str, Any]) -> bytes:
        container = made.container
        runtime = self._runtimes.of(container.record)
        base = container.bundle / f"exec-{made.id[:16]}"
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
        ids = files.ids(container)
        if ids is not None:
            streams.give(*ids.root)
        starter, complaints = await _spawn([*command, container.id], streams)
        streams.started()
        try:
            async with TaskOwner(on_error=lambda _: None) as owner:
                taking = owner.start(streams.take_terminal()) if streams.console is not None else None
                with subprocesses.awaiting(starter):
                    await subprocesses.ended(starter.pid)
                    in_vain = has_failed(starter.pid)
                    if in_vain:
                        # What it had put into the container's pid namespace keeps the first process there from ending.
                        os.killpg(starter.pid, signal.SIGKILL)
                    starter.wait()
                if taking is not None and not in_vain:
                    await taking
            os.set_blocking(complaints, False)
            try:
                said = os.read(complaints, 65536) if in_vain else b""
            except BlockingIOError:
                said = b""
        finally:
            os.close(complaints)
            planned.unlink(missing_ok=True)
        why = str(failure(runtime.name, log_file.read_bytes())) if in_vain and log_file.exists() else ""
        log_file.unlink(missing_ok=True)
        if in_vain:
            made.code = NOT_STARTED
            return b"" if 2 in streams.outputs else said or why.encode()
        made.pid = int(pid_file.read_text())
        pid_file.unlink()
        made.running = True
        self._tasks.start(self._until_end(made))
        return b""

    async def _until_end(self, made: Exec) -> None:
        await subprocesses.ended(made.pid)
        code = self._orphans.code(made.pid)
        made.code = 137 if code is None else code
        made.running = False
        made.over.set()
        told = made.container.attributes(execID=made.id, exitCode=str(made.code))
        self._events.emit("container", "exec_die", made.container.id, told)
        loop = asyncio.get_running_loop()
        loop.call_later(300, made.container.execs.pop, made.id, None)

    async def _until_gone(self, made: Exec, streams: ContainerStreams, wire: UpgradedConnection) -> None:
        """Passes on what the client types, until it has typed the detach keys or has gone."""
        async with TaskOwner(on_error=lambda _: None) as owner:
            typing = owner.start(self._input(made, streams, wire))
            gone = owner.start(wire.hung_up())
            await asyncio.wait({typing, gone}, return_when=asyncio.FIRST_COMPLETED)

    async def _input(self, made: Exec, streams: ContainerStreams, wire: UpgradedConnection) -> None:
        detacher = Detacher(made.body.detach_keys) if made.body.tty and made.body.attach_stdin else None
        with contextlib.suppress(OSError):  # the command closed its input, or the client is gone
            while data := await wire.read():
                detached = False
                if detacher is not None:
                    data, detached = detacher.feed(data)
                if streams.stdin >= 0 and made.body.attach_stdin:
                    await pipes.write(streams.stdin, data)
                if detached:
                    told = made.container.attributes(execID=made.id)
                    self._events.emit("container", "exec_detach", made.container.id, told)
                    return
        streams.close_stdin()
        if not wire.closing:
            await asyncio.Event().wait()


async def _spawn(command: list[str], streams: ContainerStreams) -> tuple[subprocess.Popen[bytes], int]:
    """Runs the runtime; returns it and where its complaints come, unless the command's error output carries them."""
    complaints, theirs = os.pipe()
    stderr = theirs if streams.console is not None or 2 not in streams.outputs else streams.theirs[2]
    try:
        starter = await subprocesses.spawn(
            command, stdin=streams.theirs[0], stdout=streams.theirs[1], stderr=stderr, process_group=0
        )
    except BaseException:
        os.close(complaints)
        raise
    finally:
        os.close(theirs)
    return starter, complaints


async def _all(tasks: list[asyncio.Task[None]]) -> None:
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


async def discard(made: Exec, streams: ContainerStreams) -> None:
    """Keeps the streams of a command open that no client is joined to, and throws away what it prints."""
    try:
        async with TaskOwner(on_error=lambda _: None) as owner:
            reading = owner.start(_all([owner.start(_discard(fd)) for fd in streams.outputs.values()]))
            ended = owner.start(made.over.wait())
            await asyncio.wait({reading, ended}, return_when=asyncio.FIRST_COMPLETED)
            await made.over.wait()
    finally:
        streams.close()


async def _discard(fd: int) -> None:
    while await pipes.read(fd):
        pass
