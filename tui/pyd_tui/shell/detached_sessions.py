"""Beginning a session that is left to itself, and coming back to it."""

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
from pyd_core.debug.debug_session import DebugSession
from pyd_core.debug.session import run
from pyd_core.debug.session_request import SessionRequest
from pyd_core.debug.sessions.attached import Attached
from pyd_core.debug.sessions.record import SessionEntry, SessionRecord
from pyd_core.debug.sessions.session_daemon import SessionDaemon
from pyd_core.debug.supervisor import Supervisor
from pyd_core.debug.target import LocalTarget, RemoteTarget
from pyd_core.errors import NotFound, PydError
from pyd_core.linux.process import ProcessEntry
from pyd_core.model.container import Container
from pyd_tui.console import failures
from pyd_tui.shell.shell_runner import ShellRunner, Terminated, describe, goes_on, run_shell

if TYPE_CHECKING:
    from pyd_core.debug.user_io import UserIO


def detach(request: SessionRequest, io: UserIO, *, ttl: float) -> tuple[str, int]:
    """Begin a session in a process of its own; return its id, or an empty one and the exit code of its failure.

    Args:
        request: The engine, and what to do.
        io: Shows notices and progress until the session can be attached to; asks nothing.
        ttl: Seconds without anybody attached after which it ends; 0 is never.
    """
    told, tell = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(told)
        code = failures.UNAVAILABLE
        try:
            code = _keep(request, io, tell, ttl=ttl)
        finally:
            os._exit(code)
    os.close(tell)
    name = os.read(told, 64).decode()  # not to the end: others have the pipe open as long as they live
    os.close(told)
    if name:
        return name, 0
    return "", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _keep(request: SessionRequest, io: UserIO, tell: int, *, ttl: float) -> int:
    os.setsid()
    for first, behind in ((3, tell), (tell + 1, os.sysconf("SC_OPEN_MAX"))):
        os.closerange(first, behind)  # whoever waits for the end of a pipe that was left open to us would wait long
    supervisor = Supervisor()

    def interact(session: DebugSession) -> int:
        record = describe(session, request.endpoint, request.options)
        record.detachable, record.attached, record.ttl = True, False, ttl
        entry = SessionEntry(record)

        def ready() -> None:
            nothing = os.open(os.devnull, os.O_RDWR)
            for descriptor in range(3):
                os.dup2(nothing, descriptor)
            os.write(tell, record.id.encode())
            os.close(tell)

        try:
            return SessionDaemon(session, entry, ready).run()
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
    """Come back to a session; return its exit code, or 0 when it is left again.

    Raises:
        PydError: It can't be.
    """
    try:
        target = _target(endpoint, record)
    except (ProcessLookupError, NotFound) as error:
        raise NotFound(f"session {record.id} has ended", reference="no-such-session") from error
    life = ShellRunner(endpoint, record.options)
    try:
        code = life.attach(Attached(record, life.show), target, record.toolbox)
    except Terminated as told:
        return 128 + told.number
    if code is None:
        io.notify(f"session {record.id} goes on; come back with: pyd debug attach {record.id}")
        return 0
    if life.ended is not None and goes_on(endpoint, life.ended, io):
        return run_shell(SessionRequest(endpoint, record.options), Supervisor(), io)
    if code == 128 + signal.SIGKILL and life.ended is None:
        io.notify(f"session {record.id} was ended from elsewhere, or its shell was killed")
    return code


def _target(endpoint: Endpoint, record: SessionRecord) -> LocalTarget | RemoteTarget:
    """Return the target of a session that goes on."""
    if record.elsewhere:
        container = _inspect(endpoint, record.container_id)
        return RemoteTarget(msgspec.structs.replace(container, name_=f"/{record.container}"))  # a stand-in has another
    process = ProcessEntry(record.target_pid)
    if process.start != record.target_start:
        raise ProcessLookupError(record.target_pid)
    container = Container(id="", name_=f"/{record.container}")
    if record.container_id:
        try:
            container = _inspect(endpoint, record.container_id)
        except NotFound:  # an image's, or removed while the session is in its files
            container = Container(id=record.container_id, name_=f"/{record.container}")
    return LocalTarget(container, process)


def _inspect(endpoint: Endpoint, container: str) -> Container:
    transport = blocking_transport(endpoint, may_ask=True)
    try:
        return run_now(ContainersApi(EngineSession(transport, where=endpoint.url, read_only=True)).inspect(container))
    finally:
        run_now(transport.aclose())
