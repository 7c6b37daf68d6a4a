"""A debug shell's life cycle: it survives its target, and always restores the terminal.

The line editor isn't imported here, but while the session is being set up.
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
from pyd_core.debug.builtin_calls import CALLS, BuiltinRequest, functions
from pyd_core.debug.options import DebugOptions
from pyd_core.debug.sessions.debug_session import DebugSession
from pyd_core.debug.sessions.record import SessionEntry, SessionRecord
from pyd_core.debug.sessions.request import SessionRequest
from pyd_core.debug.sessions.session import run
from pyd_core.debug.sessions.supervisor_process import Supervisor
from pyd_core.debug.target import LocalTarget, RemoteTarget
from pyd_core.errors import PydError
from pyd_core.sanitise import safe
from pyd_tui.console.failures import FAILED
from pyd_tui.shell.builtin_calls import BuiltinCalls
from pyd_tui.shell.builtin_table import BUILTINS
from pyd_tui.shell.screen import Screen

if TYPE_CHECKING:
    from pyd_core.client.engine_client import EngineClient
    from pyd_core.debug.sessions.attached import Attached
    from pyd_core.debug.user_io import UserIO
    from pyd_tui.shell.repl import Repl

_TERMINATION_SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
EXIT_REPORT_TIMEOUT_S = 1.5
"""Seconds within which an engine usually knows that a container has exited."""
LAST_LOG_LINES = 5


class Terminated(BaseException):
    """This process got a signal to terminate."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class ShellRunner:
    """Runs a shell in sessions, in place of a session's own `run`.

    Args:
        endpoint: The engine.
        options: The session's options.
        record: A file to record the terminal in from the start.
    """

    def __init__(self, endpoint: Endpoint, options: DebugOptions, *, record: str | None = None) -> None:
        self._endpoint = endpoint
        self._options = options
        self._record = None if record is None else Path(record).absolute()
        self._screen = Screen()
        self._repl: Repl | None = None
        self.ended: LocalTarget | RemoteTarget | None = None
        """The target, if it has ended and the session with it."""

    def interact(self, session: DebugSession) -> int:
        """Run a shell in a session and return its exit code."""
        self.ended = None
        calls = BuiltinCalls(self._run_call, self._refuse_call)
        session.plan["calls"] = CALLS
        bash = Bash(session, show=self.show, builtins=functions(sorted(BUILTINS)), calls=calls)
        session.on_line = lambda line: self.show(f"pyd: {line}\r\n".encode())  # the session owns the terminal by then
        bash.start()
        with recorded_session(session, self._endpoint, self._options):
            try:
                self._run_repl(bash, session.target, tools_directory(session))
            finally:
                if not bash.has_ended:
                    session.supervisor.end()
                bash.close()
        if session.target_ended:
            self.ended = session.target
        return session.result()

    def _run_call(self, call: BuiltinRequest) -> int:
        """Run a builtin that bash calls, in a process of its own."""
        if self._repl is None:
            return FAILED
        return self._repl.run_call(call)

    def _refuse_call(self, name: str) -> str:
        return "the shell isn't ready" if self._repl is None else self._repl.refuse_call(name)

    def attach(self, link: Attached, target: LocalTarget | RemoteTarget, toolbox: str) -> int | None:
        """Run a shell in another process's session; return its exit code, or None if the session continues."""
        calls = BuiltinCalls(self._run_call, self._refuse_call)
        bash = Bash(link, show=self.show, fresh=False, calls=calls)
        bash.start()
        try:
            self._run_repl(bash, target, toolbox, attached=link)
        finally:
            bash.close()
            link.leave()
        if not bash.has_ended:
            return None
        if link.target_ended:
            self.ended = target
        return link.result()

    def _run_repl(
        self, bash: Bash, target: LocalTarget | RemoteTarget, toolbox: str, *, attached: Attached | None = None
    ) -> None:
        with self._guarded():
            from pyd_tui.shell.repl import Repl  # noqa: PLC0415 - while the session is being set up

            self._repl = repl = Repl(
                self._endpoint,
                self._options,
                target,
                toolbox,
                self._screen,
                attached=attached is not None,
                nests=attached is None or attached.has_calls,
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
        """Show output of the session."""
        if self._repl is None:
            self._screen.show(data)
        else:
            self._repl.show(data)

    @contextlib.contextmanager
    def _guarded(self) -> Iterator[None]:
        """Restore the terminal after the block; a termination signal during the block ends it."""
        before = termios.tcgetattr(0)
        received: list[int] = []

        def on_signal(number: int, _frame: object) -> None:
            received.append(number)
            if self._repl is not None and self._repl.is_reading:
                self._repl.leave()
            else:
                raise Terminated(number)

        handlers = {number: signal.signal(number, on_signal) for number in _TERMINATION_SIGNALS}
        try:
            yield
        except Exception:
            if not received:
                raise
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
            with contextlib.suppress(OSError, termios.error):  # the terminal may be gone
                self._screen.recover()
                # A program that the signal ended may have queried the terminal; the replies are unwanted now.
                termios.tcsetattr(0, termios.TCSAFLUSH if received else termios.TCSADRAIN, before)
        if received:
            raise Terminated(received[0])


@contextlib.contextmanager
def recorded_session(session: DebugSession, endpoint: Endpoint, options: DebugOptions) -> Iterator[None]:
    """List a session while the block lasts; if it can't be recorded, it works all the same."""
    entry: SessionEntry | None = None
    with contextlib.suppress(PydError):
        entry = SessionEntry(session_record(session, endpoint, options))
    try:
        yield
    finally:
        if entry is not None:
            entry.remove()


def tools_directory(session: DebugSession) -> str:
    """Return the directory on this machine with a session's toolbox files."""
    directory: str = session.plan.get("tools") or session.plan["toolbox"]
    return directory


def session_record(session: DebugSession, endpoint: Endpoint, options: DebugOptions) -> SessionRecord:
    """Return a session's record."""
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
        toolbox=tools_directory(session),
        elsewhere=isinstance(session.target, RemoteTarget),
        options=options,
    )


def run_shell(
    request: SessionRequest,
    supervisor: Supervisor,
    io: UserIO,
    *,
    record: str | None = None,
    enter: Callable[[SessionRequest, Supervisor, UserIO], int] = run,
) -> int:
    """Run a shell in a target, and in the target's successors after it has ended; return the exit code.

    Args:
        request: The engine, and what to do.
        supervisor: A supervisor that waits for its plan.
        io: Shows notices and progress; asks what to do once the target has ended.
        record: A file to record the terminal in.
        enter: Runs a session.

    Raises:
        PydError: The session couldn't be started.
    """
    runner = ShellRunner(request.endpoint, request.options, record=record)
    request = msgspec.structs.replace(request, interact=runner.interact)
    while True:
        try:
            code = enter(request, supervisor, io)
        except Terminated as terminated:
            return 128 + terminated.number
        finally:
            supervisor.close()
        if runner.ended is None or not ask_to_reenter(request.endpoint, runner.ended, io):
            return code
        supervisor = Supervisor()


def ask_to_reenter(endpoint: Endpoint, target: LocalTarget | RemoteTarget, io: UserIO) -> bool:
    """Report how a target ended and ask what to do; return whether to enter it again in its current state."""
    from pyd_core.client.transport.blocking import run_now  # noqa: PLC0415 - only now

    running = report_target_exit(endpoint, target, io.notify)
    while running is not None and io.ask is not None:
        stopped = "stopped. [p] inspect its files, [r] re-enter when it restarts, [q] quit: "
        answer = io.ask("it runs again. [r] re-enter, [q] quit: " if running else stopped).strip().lower()[:1]
        if answer in ("", "q"):
            return False
        if answer == "p" and not running:
            return True
        if answer == "r":
            try:
                running = run_now(_engine(endpoint).containers.inspect(target.container.id)).state.pid != 0
            except PydError as error:
                io.notify(error.message)
                return False
            if running:
                return True
            io.notify(f"{target.name} isn't running yet")
    return False


def _engine(endpoint: Endpoint) -> EngineClient:
    from pyd_core.client.engine_client import EngineClient  # noqa: PLC0415 - only at the end
    from pyd_core.client.transport.choice import blocking_transport  # noqa: PLC0415 - only at the end

    return EngineClient(endpoint, blocking_transport(endpoint))


def report_target_exit(
    endpoint: Endpoint, target: LocalTarget | RemoteTarget, notify: Callable[[str], None]
) -> bool | None:
    """Report how a target ended, once the engine knows; return whether it runs again, None if it is removed.

    Args:
        endpoint: The engine.
        target: The ended target.
        notify: Shows lines to the user.
    """
    container = target.container
    if not container.id or endpoint.is_cluster:
        notify(f"{target.name} has ended; the session ended with it")
        return None
    from pyd_core.client.transport.blocking import run_now  # noqa: PLC0415 - only now
    from pyd_core.errors import NotFound  # noqa: PLC0415 - only now
    from pyd_core.triage.api import explain  # noqa: PLC0415 - only now
    from pyd_tui.console.container_logs import LogsOptions, print_logs  # noqa: PLC0415 - only now

    engine = _engine(endpoint)
    deadline = time.monotonic() + EXIT_REPORT_TIMEOUT_S
    try:
        while True:
            current = run_now(engine.containers.inspect(container.id))
            if current.state.pid != container.state.pid or time.monotonic() > deadline:
                break
            time.sleep(0.05)
        verdict = run_now(explain(engine, container.id))
    except NotFound:
        notify(f"{target.name} has ended and was removed")
        return None
    except PydError as error:
        notify(f"{target.name} has ended; {error.message}")
        return None
    notify(f"{safe(verdict.summary)} [{verdict.cause}]; the session ended with it")
    with contextlib.suppress(PydError):
        run_now(print_logs(engine, LogsOptions(names=(container.id,), tail=LAST_LOG_LINES), json=False))
        sys.stdout.flush()
    return bool(current.state.pid)
