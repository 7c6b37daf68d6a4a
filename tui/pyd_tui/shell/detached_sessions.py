"""Starting detached sessions, and attaching to them."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import msgspec

from pyd_core.client.api_client import ApiClient as EngineSession
from pyd_core.client.containers import ContainersApi
from pyd_core.client.endpoint import Endpoint
from pyd_core.client.transport.blocking import run_now
from pyd_core.client.transport.choice import blocking_transport
from pyd_core.debug.builtin_calls import CALLS, functions
from pyd_core.debug.sessions.attached import Attached
from pyd_core.debug.sessions.debug_session import DebugSession
from pyd_core.debug.sessions.record import SessionEntry, SessionRecord
from pyd_core.debug.sessions.request import SessionRequest
from pyd_core.debug.sessions.session import run
from pyd_core.debug.sessions.session_daemon import SessionDaemon
from pyd_core.debug.sessions.supervisor_process import Supervisor
from pyd_core.debug.target import LocalTarget, RemoteTarget
from pyd_core.errors import NotFound, PydError
from pyd_core.linux.process import ProcessEntry
from pyd_core.model.container import Container
from pyd_tui.console import failures
from pyd_tui.shell.builtin_calls import BuiltinCalls
from pyd_tui.shell.builtin_table import BUILTINS
from pyd_tui.shell.shell_runner import ShellRunner, Terminated, ask_to_reenter, run_shell, session_record

if TYPE_CHECKING:
    from pyd_core.debug.user_io import UserIO


def detach(request: SessionRequest, io: UserIO, *, ttl: float) -> tuple[str, int]:
    """Start a session in a process of its own; return its id, or an empty one and the exit code of its failure.

    Args:
        request: The engine, and what to do.
        io: Shows notices and progress until the session can be attached to; asks nothing.
        ttl: Seconds without an attached client after which it ends; 0 for never.
    """
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read_end)
        code = failures.UNAVAILABLE
        try:
            code = _run_detached(request, io, write_end, ttl=ttl)
        finally:
            os._exit(code)
    os.close(write_end)
    name = os.read(read_end, 64).decode()  # not to the end: the session's processes keep the pipe open
    os.close(read_end)
    if name:
        return name, 0
    return "", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _run_detached(request: SessionRequest, io: UserIO, ready_fd: int, *, ttl: float) -> int:
    os.setsid()
    for first, end in ((3, ready_fd), (ready_fd + 1, os.sysconf("SC_OPEN_MAX"))):
        os.closerange(first, end)  # readers of an inherited pipe would wait for us to close it
    supervisor = Supervisor()

    def interact(session: DebugSession) -> int:
        record = session_record(session, request.endpoint, request.options)
        record.detachable, record.attached, record.ttl = True, False, ttl
        entry = SessionEntry(record)

        def ready() -> None:
            null = os.open(os.devnull, os.O_RDWR)
            for descriptor in range(3):
                os.dup2(null, descriptor)
            os.write(ready_fd, record.id.encode())
            os.close(ready_fd)

        try:
            calls = BuiltinCalls(lambda _: failures.FAILED, lambda _: "")
            session.plan["calls"] = CALLS
            return SessionDaemon(session, entry, ready, builtins=functions(sorted(BUILTINS)), calls=calls).run()
        finally:
            entry.remove()

    try:
        return run(msgspec.structs.replace(request, interact=interact), supervisor, io)
    except PydError as error:
        failures.report(error)
        return failures.exit_code(error, before_command=True)
    finally:
        supervisor.close()


def attach(endpoint: Endpoint, record: SessionRecord, io: UserIO) -> int:
    """Attach to a session; return its exit code, or 0 when it is detached again.

    Raises:
        PydError: The session can't be attached to.
    """
    try:
        target = _target(endpoint, record)
    except (ProcessLookupError, NotFound) as error:
        raise NotFound(f"session {record.id} has ended", reference="no-such-session") from error
    runner = ShellRunner(endpoint, record.options)
    try:
        code = runner.attach(Attached(record, runner.show), target, record.toolbox)
    except Terminated as terminated:
        return 128 + terminated.number
    if code is None:
        io.notify(f"session {record.id} continues; attach again with: pyd debug attach {record.id}")
        return 0
    if runner.ended is not None and ask_to_reenter(endpoint, runner.ended, io):
        return run_shell(SessionRequest(endpoint, record.options), Supervisor(), io)
    if code == 128 + signal.SIGKILL and runner.ended is None:
        io.notify(f"session {record.id} was ended by another process, or its shell was killed")
    return code


def _target(endpoint: Endpoint, record: SessionRecord) -> LocalTarget | RemoteTarget:
    """Return the target of a running session."""
    if record.elsewhere:
        container = _inspect(endpoint, record.container_id)
        return RemoteTarget(msgspec.structs.replace(container, name_=f"/{record.container}"))  # a stand-in's differs
    process = ProcessEntry(record.target_pid)
    if process.start != record.target_start:
        raise ProcessLookupError(record.target_pid)
    container = Container(id="", name_=f"/{record.container}")
    if record.container_id:
        try:
            container = _inspect(endpoint, record.container_id)
        except NotFound:  # the session of an image, or of a container removed since
            container = Container(id=record.container_id, name_=f"/{record.container}")
    return LocalTarget(container, process)


def _inspect(endpoint: Endpoint, container: str) -> Container:
    transport = blocking_transport(endpoint, may_ask=True)
    try:
        return run_now(ContainersApi(EngineSession(transport, where=endpoint.url, read_only=True)).inspect(container))
    finally:
        run_now(transport.aclose())
