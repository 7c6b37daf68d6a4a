"""Beginning a session that is left to itself, and coming back to it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from pyd_core.client.api_client import ApiClient as EngineSession
from pyd_core.client.containers import ContainersApi
from pyd_core.client.endpoint import Endpoint
from pyd_core.client.transport.blocking import run_now
from pyd_core.client.transport.choice import blocking_transport
from pyd_core.debug.options import DebugOptions
from pyd_core.debug.session import DebugSession, run
from pyd_core.debug.sessions.attached import Attached
from pyd_core.debug.sessions.record import SessionEntry, SessionRecord
from pyd_core.debug.sessions.session_daemon import SessionDaemon
from pyd_core.debug.supervisor import Supervisor
from pyd_core.debug.target import RemoteTarget, Target
from pyd_core.errors import NotFound, PydError
from pyd_core.linux.process import ProcessEntry
from pyd_core.model.container import Container
from pyd_tui.console import failures
from pyd_tui.shell.shell_runner import ShellRunner, Terminated, describe, goes_on, run_shell

if TYPE_CHECKING:
    from pyd_core.debug.toolbox.apt import Progress


def detach(
    endpoint: Endpoint,
    options: DebugOptions,
    *,
    ttl: float,
    notify: Callable[[str], None],
    progress: Progress,
) -> tuple[str, int]:
    """Begins a session in a process of its own; returns its id, or an empty one and the exit code of its failure.

    Args:
        endpoint: The engine.
        options: Of the session.
        ttl: Seconds without anybody attached after which it ends; 0 is never.
        notify: Told lines for the user, until the session is there.
        progress: Told how the making of the toolbox goes, or the copying of files.
    """
    told, tell = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(told)
        code = failures.UNAVAILABLE
        try:
            code = _keep(endpoint, options, tell, ttl=ttl, notify=notify, progress=progress)
        finally:
            os._exit(code)
    os.close(tell)
    name = os.read(told, 64).decode()  # not to the end: others have the pipe open as long as they live
    os.close(told)
    if name:
        return name, 0
    return "", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _keep(
    endpoint: Endpoint,
    options: DebugOptions,
    tell: int,
    *,
    ttl: float,
    notify: Callable[[str], None],
    progress: Progress,
) -> int:
    os.setsid()
    for first, behind in ((3, tell), (tell + 1, os.sysconf("SC_OPEN_MAX"))):
        os.closerange(first, behind)  # whoever waits for the end of a pipe that was left open to us would wait long
    supervisor = Supervisor()

    def interact(session: DebugSession) -> int:
        record = describe(session, endpoint, options)
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
        return run(endpoint, options, supervisor, notify=notify, progress=progress, interact=interact)
    except PydError as error:
        failures.report(error)
        return failures.exit_code(error, before_command=True)
    finally:
        supervisor.close()


def attach(
    endpoint: Endpoint,
    record: SessionRecord,
    *,
    notify: Callable[[str], None],
    progress: Progress,
    ask: Callable[[str], str],
) -> int:
    """Comes back to a session; returns its exit code, or 0 when it is left again.

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
        notify(f"session {record.id} goes on; come back with: pyd debug attach {record.id}")
        return 0
    if life.ended is not None and goes_on(endpoint, life.ended, notify, ask):
        return run_shell(endpoint, record.options, Supervisor(), notify=notify, progress=progress, ask=ask)
    if code == 128 + signal.SIGKILL and life.ended is None:
        notify(f"session {record.id} was ended from elsewhere, or its shell was killed")
    return code


def _target(endpoint: Endpoint, record: SessionRecord) -> Target | RemoteTarget:
    """Returns the target of a session that goes on."""
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
    return Target(container, process)


def _inspect(endpoint: Endpoint, container: str) -> Container:
    transport = blocking_transport(endpoint, may_ask=True)
    try:
        return run_now(ContainersApi(EngineSession(transport, where=endpoint.url, read_only=True)).inspect(container))
    finally:
        run_now(transport.aclose())
