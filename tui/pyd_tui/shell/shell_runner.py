"""A debug shell's life: it outlasts its target, and whatever ends it leaves the terminal as it was.

Nothing of the line editor is loaded here: that happens while the session is being set up.
"""

from __future__ import annotations

import contextlib
import signal
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from pyd_core.client.endpoint import Endpoint
from pyd_core.debug.bash import Bash
from pyd_core.debug.debug_session import DebugSession
from pyd_core.debug.options import DebugOptions
from pyd_core.debug.session import run
from pyd_core.debug.session_request import SessionRequest
from pyd_core.debug.sessions.record import SessionEntry, SessionRecord
from pyd_core.debug.supervisor import Supervisor
from pyd_core.debug.target import LocalTarget, RemoteTarget
from pyd_core.errors import PydError
from pyd_core.sanitise import safe
from pyd_tui.shell.screen import Screen

if TYPE_CHECKING:
    from pyd_core.client.engine_client import EngineClient
    from pyd_core.debug.sessions.attached import Attached
    from pyd_core.debug.user_io import UserIO
    from pyd_tui.shell.repl import Repl

_ENDINGS = (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
PATIENCE = 1.5
"""Seconds in which an engine usually knows that a container has ended."""
LAST_LINES = 5


class Terminated(BaseException):
    """This process was told to end by a signal."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class ShellRunner:
    """What is called in place of a session's own `run`.

    Args:
        endpoint: The engine.
        options: Of the session.
        record: A file to record the terminal in from the beginning.
    """

    def __init__(self, endpoint: Endpoint, options: DebugOptions, *, record: str | None = None) -> None:
        self._endpoint = endpoint
        self._options = options
        self._record = None if record is None else Path(record).absolute()
        self._screen = Screen()
        self._repl: Repl | None = None
        self.ended: LocalTarget | RemoteTarget | None = None
        """The target, where it has ended and taken the session with it."""

    def interact(self, session: DebugSession) -> int:
        """Run a shell in a session and return its exit code."""
        self.ended = None
        bash = Bash(session, show=self.show)
        session.on_line = lambda line: self.show(f"pyd: {line}\r\n".encode())  # the terminal is the session's by then
        bash.start()
        with noted(session, self._endpoint, self._options):
            try:
                self._talk(bash, session.target, tools(session))
            finally:
                if not bash.has_ended:
                    session.supervisor.end()
                bash.close()
        if session.target_ended:
            self.ended = session.target
        return session.result()

    def attach(self, link: Attached, target: LocalTarget | RemoteTarget, toolbox: str) -> int | None:
        """Run a shell in a session that another process keeps; return its exit code, or None when it goes on."""
        bash = Bash(link, show=self.show, fresh=False)
        bash.start()
        try:
            self._talk(bash, target, toolbox, attached=link)
        finally:
            bash.close()
            link.leave()
        if not bash.has_ended:
            return None
        if link.target_ended:
            self.ended = target
        return link.result()

    def _talk(
        self, bash: Bash, target: LocalTarget | RemoteTarget, toolbox: str, *, attached: Attached | None = None
    ) -> None:
        with self._guarded():
            from pyd_tui.shell.repl import Repl  # noqa: PLC0415 - while the session is being set up

            self._repl = repl = Repl(
                self._endpoint, self._options, target, toolbox, self._screen, attached=attached is not None
            )
            try:
                typed = bash.wait_ready() if attached is None else bash.rejoin(awaits_line=attached.awaits_line)
                if not bash.has_ended:
                    if self._record is not None:
                        repl.record(self._record)
                        self._record = None
                    repl.run(bash, typed)
            finally:
                self._repl = None

    def show(self, data: bytes) -> None:
        """Take what the session prints."""
        if self._repl is None:
            self._screen.show(data)
        else:
            self._repl.show(data)

    @contextlib.contextmanager
    def _guarded(self) -> Iterator[None]:
        """Give the terminal back as it was, whatever ends the block; a signal that ends this process ends it."""
        before = termios.tcgetattr(0)
        told: list[int] = []

        def tell(number: int, _frame: object) -> None:
            told.append(number)
            if self._repl is not None and self._repl.is_reading:
                self._repl.leave()
            else:
                raise Terminated(number)

        handlers = {number: signal.signal(number, tell) for number in _ENDINGS}
        try:
            yield
        except Exception:
            if not told:
                raise
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
            with contextlib.suppress(OSError, termios.error):  # the terminal may be gone
                self._screen.recover()
                # What ended by the signal within may have asked the terminal things whose answers nobody reads now.
                termios.tcsetattr(0, termios.TCSAFLUSH if told else termios.TCSADRAIN, before)
        if told:
            raise Terminated(told[0])


@contextlib.contextmanager
def noted(session: DebugSession, endpoint: Endpoint, options: DebugOptions) -> Iterator[None]:
    """Have a session listed as long as the block lasts; where it can't be written down it works all the same."""
    entry: SessionEntry | None = None
    with contextlib.suppress(PydError):
        entry = SessionEntry(describe(session, endpoint, options))
    try:
        yield
    finally:
        if entry is not None:
            entry.remove()


def tools(session: DebugSession) -> str:
    """Return the folder on this machine that has the files of a session's toolbox."""
    folder: str = session.plan.get("tools") or session.plan["toolbox"]
    return folder


def describe(session: DebugSession, endpoint: Endpoint, options: DebugOptions) -> SessionRecord:
    """Return what is written down of a session."""
    container = session.target.container
    return SessionRecord(
        id="",
        container=container.name,
        container_id=container.id,
        engine=endpoint.url,
        pid=0,
        start=0,
        target_pid=session.plan["pid"],
        target_start=session.plan.get("start", 0),
        created=0,
        toolbox=tools(session),
        elsewhere=isinstance(session.target, RemoteTarget),
        options=options,
    )


def run_shell(request: SessionRequest, supervisor: Supervisor, io: UserIO, *, record: str | None = None) -> int:
    """Run a shell in a target, and in what comes of it when it has ended; return the exit code.

    Args:
        request: The engine, and what to do.
        supervisor: Waits for its plan.
        io: Shows notices and progress; asks what to do once the target has ended.
        record: A file to record the terminal in.

    Raises:
        PydError: There could be no session.
    """
    life = ShellRunner(request.endpoint, request.options, record=record)
    request = msgspec.structs.replace(request, interact=life.interact)
    while True:
        try:
            code = run(request, supervisor, io)
        except Terminated as told:
            return 128 + told.number
        finally:
            supervisor.close()
        if life.ended is None or not goes_on(request.endpoint, life.ended, io):
            return code
        supervisor = Supervisor()


def goes_on(endpoint: Endpoint, target: LocalTarget | RemoteTarget, io: UserIO) -> bool:
    """Say how a target ended and ask what to do; return whether to enter it again, as it is then."""
    from pyd_core.client.transport.blocking import run_now  # noqa: PLC0415 - only now

    there = report_target_exit(endpoint, target, io.notify)
    while there is not None and io.ask is not None:
        runs = "it runs again: " if there else "it doesn't run: [p] its files, post mortem; "
        answer = io.ask(f"{runs}[r] enter it again; [q] quit: ").strip().lower()[:1]
        if answer in ("", "q"):
            return False
        if answer == "p" and not there:
            return True
        if answer == "r":
            try:
                there = run_now(_engine(endpoint).containers.inspect(target.container.id)).state.pid != 0
            except PydError as error:
                io.notify(error.message)
                return False
            if there:
                return True
            io.notify(f"{target.name} doesn't run yet")
    return False


def _engine(endpoint: Endpoint) -> EngineClient:
    from pyd_core.client.engine_client import EngineClient  # noqa: PLC0415 - only at the end
    from pyd_core.client.transport.choice import blocking_transport  # noqa: PLC0415 - only at the end

    return EngineClient(endpoint, blocking_transport(endpoint))


def report_target_exit(
    endpoint: Endpoint, target: LocalTarget | RemoteTarget, notify: Callable[[str], None]
) -> bool | None:
    """Say how a target ended, as soon as the engine knows; return whether it runs again, None if it is gone.

    Args:
        endpoint: The engine.
        target: What has ended.
        notify: Told lines for the user.
    """
    container = target.container
    if not container.id:
        notify(f"{target.name} has ended; the session ended with it")
        return None
    from pyd_core.client.transport.blocking import run_now  # noqa: PLC0415 - only now
    from pyd_core.errors import NotFound  # noqa: PLC0415 - only now
    from pyd_core.triage.api import explain  # noqa: PLC0415 - only now
    from pyd_tui.console.container_logs import LogsOptions, print_logs  # noqa: PLC0415 - only now

    engine = _engine(endpoint)
    deadline = time.monotonic() + PATIENCE
    try:
        while True:
            now = run_now(engine.containers.inspect(container.id))
            if now.state.pid != container.state.pid or time.monotonic() > deadline:
                break
            time.sleep(0.05)
        verdict = run_now(explain(engine, container.id))
    except NotFound:
        notify(f"{target.name} has ended and is gone")
        return None
    except PydError as error:
        notify(f"{target.name} has ended; {error.message}")
        return None
    notify(f"{safe(verdict.summary)} [{verdict.cause}]; the session ended with it")
    with contextlib.suppress(PydError):
        run_now(print_logs(engine, LogsOptions(names=(container.id,), tail=LAST_LINES), json=False))
        sys.stdout.flush()
    return bool(now.state.pid)
