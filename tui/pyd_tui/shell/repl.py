"""The debug shell's loop: it reads a line, has it run, and repeats until the session is over."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, cast

import msgspec

from pyd_core.client.endpoint import Endpoint
from pyd_core.debug.bash import Bash
from pyd_core.debug.builtin_calls import CALLS, BuiltinRequest, functions
from pyd_core.debug.elsewhere import remote_access, remote_session
from pyd_core.debug.options import DebugOptions
from pyd_core.debug.plan import make_plan
from pyd_core.debug.sessions.debug_session import DebugSession
from pyd_core.debug.sessions.request import SessionRequest
from pyd_core.debug.sessions.supervisor_process import Supervisor
from pyd_core.debug.target import LocalTarget, RemoteTarget
from pyd_core.debug.user_io import NoticesOnly
from pyd_core.errors import Conflict, PydError, Unsupported
from pyd_tui.shell.builtin_calls import BuiltinCalls
from pyd_tui.shell.builtin_table import BUILTINS
from pyd_tui.shell.editor import Editor, Pieces, ReadAborted
from pyd_tui.shell.history import TargetHistory, history_path
from pyd_tui.shell.interactive_shell import ShellContext
from pyd_tui.shell.line_dispatcher import LineDispatcher
from pyd_tui.shell.prompt import prompt_pieces
from pyd_tui.shell.recorder import SessionRecording
from pyd_tui.shell.screen import Screen
from pyd_tui.shell.target_state import StateWatch

if TYPE_CHECKING:
    from prompt_toolkit.completion import Completer

    from pyd_core.client.provider import Provider
    from pyd_core.debug.access import Access
    from pyd_core.debug.helper.access import HelperAccess
    from pyd_core.debug.helper.shared_access import AccessBroker

INTERRUPTED_EXIT_CODE = 130


@dataclass
class NestingLevel:
    """A running bash: the session's own, or one opened by `su`.

    Attributes:
        bash: The bash.
        identity: Its user.
        resources: What a session opened by this shell uses, closed with it.
    """

    bash: Bash
    identity: str
    resources: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)


class _LazyAccess:
    """An `Access` that is created at its first use."""

    def __init__(self, make: Callable[[], Access]) -> None:
        self._create = make

    def __getattr__(self, name: str) -> object:
        return getattr(self._create(), name)


class Repl:
    """An interactive debug shell; the `InteractiveShell` of its builtins.

    Args:
        endpoint: The engine.
        options: The session's options.
        target: The target.
        toolbox: The toolbox's directory.
        screen: The user's terminal.
        attached: Whether the session continues without this process.
        nests: Whether bash can call builtins.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        options: DebugOptions,
        target: LocalTarget | RemoteTarget,
        toolbox: str,
        screen: Screen,
        *,
        attached: bool = False,
        nests: bool = False,
    ) -> None:
        self._endpoint = endpoint
        self._options = options
        self._target = target
        self._toolbox = toolbox
        self._screen = screen
        self._attached = attached
        self._levels: list[NestingLevel] = []
        self._code: int | None = None
        """The last line's exit code, if bash doesn't know it."""
        self._leaving = False
        self._recorder: SessionRecording | None = None
        self._cwd = ""
        """The working directory of a call by bash."""
        self._tools: dict[str, frozenset[str]] = {}
        self._background = bytearray()
        self._editor = Editor(screen.text(), TargetHistory(history_path(target.container.name or target.name)))
        self._calls = LineDispatcher(self._context, self._bash, nests=nests)
        self._watch = StateWatch(endpoint, target.container, self._editor.redraw)
        self._elsewhere: Access | None = None
        self._broker: AccessBroker | None = None
        """Gives calls by bash the access to a target elsewhere."""
        self._in_call = False
        """Whether this is the process of a call by bash."""
        self._helper_lock = threading.Lock()
        self._held = contextlib.ExitStack()
        """Resources of the shell: the helper container for builtins, once one needs it."""

    # --- for builtins ---------------------------------------------------------------------------------------------

    @property
    def path(self) -> str:
        """See `InteractiveShell`."""
        return self._level.bash.report.path

    @property
    def functions(self) -> Sequence[str]:
        """See `InteractiveShell`."""
        return self._level.bash.report.functions

    @property
    def tools(self) -> frozenset[str]:
        """See `InteractiveShell`."""
        return self.tools_in("bin") | self.tools_in("sbin")

    def tools_in(self, directory: str) -> frozenset[str]:
        """See `InteractiveShell`."""
        if directory not in self._tools:
            names: list[str] = []
            with contextlib.suppress(OSError):
                names = os.listdir(f"{self._toolbox}/{directory}")  # noqa: PTH208 - only names
            self._tools[directory] = frozenset(names)
        return self._tools[directory]

    def forget_tools(self) -> None:
        """See `InteractiveShell`."""
        self._tools.clear()

    def switch(self, identity: str) -> None:
        """See `InteractiveShell`."""
        options = msgspec.structs.replace(self._options, identity=identity)
        with contextlib.ExitStack() as resources:
            supervisor = Supervisor()
            resources.callback(supervisor.close)
            session = resources.enter_context(self._open_session(options, supervisor))
            session.plan["cwd"] = self._level.bash.report.cwd
            session.plan["calls"] = CALLS
            calls = BuiltinCalls(self.run_call, self.refuse_call)
            bash = Bash(session, show=self._show, builtins=functions(sorted(BUILTINS)), calls=calls)
            resources.callback(bash.close)
            bash.start()
            bash.wait_ready()
            if bash.has_ended:
                session.result()  # raises the reason, if it is known
                raise Conflict(f"the shell as {identity} ended immediately")
            self._levels.append(NestingLevel(bash, identity, resources.pop_all()))

    @contextlib.contextmanager
    def _open_session(self, options: DebugOptions, supervisor: Supervisor) -> Iterator[DebugSession]:
        """Yield another session in the same target, not started yet."""
        if isinstance(self._target, RemoteTarget):
            request, io = SessionRequest(self._endpoint, options), NoticesOnly(self._print_notice)
            with remote_session(request, self._target.container, supervisor, io) as session:
                session.on_line = self._show_line
                yield session
            return
        plan = make_plan(self._target, options, self._toolbox, terminal=True, conversing=True)
        plan["client"] = os.getpid()
        session = DebugSession(self._target, supervisor, plan)
        session.on_line = self._show_line
        yield session

    def _show_line(self, line: str) -> None:
        """Show a line while a session owns the terminal."""
        self._show(f"pyd: {line}\r\n".encode())

    @staticmethod
    def _print_notice(line: str) -> None:
        print(f"pyd: {line}", file=sys.stderr)  # noqa: T201 - the shell's own stream

    def confirm(self, question: str) -> bool:
        """See `InteractiveShell`."""
        self._screen.fresh_line()
        sys.stdout.write(question)
        sys.stdout.flush()
        with contextlib.suppress(KeyboardInterrupt, EOFError, OSError):
            return sys.stdin.readline().strip().lower() in {"y", "yes"}
        return False

    def record(self, path: Path | None) -> Path | None:
        """See `InteractiveShell`."""
        started = None if path is None else SessionRecording(path, f"pyd debug {self._target.name}")
        ended = self._recorder
        if ended is not None:
            ended.close()
        self._recorder = self._screen.recorder = started
        return None if ended is None else ended.path

    def detach(self) -> None:
        """See `InteractiveShell`."""
        if not self._attached or len(self._levels) > 1:
            raise Unsupported(
                "this shell ends with its terminal",
                hint="start one that continues: pyd debug --detach NAME" if not self._attached else "first: exit",
            )
        self._leaving = True

    # --- the loop -------------------------------------------------------------------------------------------------

    @property
    def _level(self) -> NestingLevel:
        return self._levels[-1]

    def run(self, bash: Bash, typed: bytes = b"") -> None:
        """Run until the session of `bash` is over, or is left.

        Args:
            bash: Ready for a line.
            typed: Keys that were typed already.
        """
        self._editor.type_ahead(typed)
        self._levels = [NestingLevel(bash, self._options.identity)]
        if isinstance(self._target, RemoteTarget):
            from pyd_core.debug.helper.shared_access import AccessBroker  # noqa: PLC0415 - only for remote targets

            self._broker = AccessBroker(lambda: cast("HelperAccess", self._helper_access()))
            self._held.callback(self._broker.close)
        streams = sys.stdout, sys.stderr
        sys.stdout, sys.stderr = self._screen.text(), self._screen.text()
        interrupted = signal.signal(signal.SIGINT, self._interrupt)
        try:
            while self._continues():
                try:
                    self._run_line()
                except ReadAborted:
                    if not self._level.bash.has_ended:
                        raise  # terminated
                except KeyboardInterrupt:
                    self._code = INTERRUPTED_EXIT_CODE
        finally:
            for stream in (sys.stdout, sys.stderr):
                with contextlib.suppress(OSError):
                    stream.flush()
            signal.signal(signal.SIGINT, interrupted)
            sys.stdout, sys.stderr = streams
            for level in self._levels[1:]:
                level.resources.close()
            self._held.close()
            self.record(None)

    def _interrupt(self, _number: int, _frame: object) -> None:
        """Handle ctrl-c that came as a signal: for a running builtin, else for bash, as the terminal wasn't raw yet."""
        if self._calls.busy:
            raise KeyboardInterrupt
        self._level.bash.interrupt()

    def leave(self) -> None:
        """Abort reading a line; safe in a signal handler."""
        self._editor.leave()

    @property
    def is_reading(self) -> bool:
        """Whether a line is being edited."""
        return self._editor.is_reading

    def show(self, data: bytes) -> None:
        """Show output of a session."""
        self._show(data)

    def _continues(self) -> bool:
        while len(self._levels) > 1 and self._level.bash.has_ended:
            level = self._levels.pop()
            with contextlib.suppress(PydError):
                self._code = level.bash.link.result()
            level.resources.close()
        return not self._leaving and not self._level.bash.has_ended

    def _run_line(self) -> None:
        bash = self._level.bash
        self._screen.fresh_line()
        try:
            line = self._editor.read(self._prompt, bash.sources, self._listen, self._on_prompt)
        except EOFError:
            line = "exit"
        if line.strip():
            self._code = None
            self._code = self._calls.run(line)

    def _on_prompt(self) -> None:
        self._watch.refresh()
        self._editor.load_completion(self._completer)

    def _prompt(self) -> Pieces:
        level = self._level
        report = level.bash.report
        if self._code is not None:
            report = msgspec.structs.replace(report, code=self._code)
        return prompt_pieces(
            self._target.name,
            self._watch.state,
            report,
            identity=level.identity,
            recording=self._recorder is not None,
        )

    def _listen(self) -> bool:
        self._level.bash.listen()
        if self._background:
            self._editor.above(self._show_background)
        return self._level.bash.has_ended

    def _show(self, data: bytes) -> None:
        """Show output now, or above the line being edited."""
        if self._editor.is_reading:
            self._background += data
        else:
            self._screen.show(data)

    def _show_background(self) -> None:
        data, self._background = bytes(self._background), bytearray()
        self._screen.show(data)
        self._screen.fresh_line()

    def _bash(self, line: str) -> int:
        bash = self._level.bash
        if self._background:
            self._show_background()
        typed = bash.run(line.encode(errors="surrogateescape"), typed=self._editor.take_typed())
        self._editor.type_ahead(typed)
        return bash.report.code

    def run_call(self, call: BuiltinRequest) -> int:
        """Run a builtin that bash calls, in a process of its own."""
        from pyd_tui.console.rich_console import console  # noqa: PLC0415 - only where a builtin runs

        console.cache_clear()  # it would keep the width of the terminal
        self._cwd, self._in_call, self._elsewhere = call.cwd, True, None
        return self._calls.run_nested(call.name, call.arguments)

    def refuse_call(self, name: str) -> str:
        """Return why a builtin that bash calls doesn't run; empty if it does."""
        return self._calls.refusal(name)

    def _context(self) -> ShellContext:
        level = self._level
        return ShellContext(
            access=self._access(),
            engine=self._engine,
            name=self._target.name,
            cwd=self._cwd or level.bash.report.cwd,
            identity=level.identity,
            send=lambda line: self._editor.type_ahead(f"{line}\n".encode()),
            interactive_shell=self,
            model=self._target.model if isinstance(self._target, LocalTarget) else "",
        )

    def _access(self) -> Access:
        if isinstance(self._target, RemoteTarget):
            return cast("Access", _LazyAccess(self._helper_access))
        from pyd_core.debug.local import LocalAccess  # noqa: PLC0415 - after the first prompt

        return LocalAccess(self._target, self._toolbox, self._options)

    def _helper_access(self) -> Access:
        if self._in_call and self._broker is not None:  # a thread of the parent's may have held the lock
            self._elsewhere = self._elsewhere or self._held.enter_context(self._broker.connect())
            return self._elsewhere
        with self._helper_lock:  # a builtin and completion may both be the first to need it
            if self._elsewhere is None:
                request, io = SessionRequest(self._endpoint, self._options), NoticesOnly(self._print_notice)
                access = remote_access(request, self._target.container, io)
                self._elsewhere = self._held.enter_context(access)
            return self._elsewhere

    def _engine(self) -> Provider:
        from pyd_tui.shell.client import client_of  # noqa: PLC0415 - few builtins need it

        return client_of(self._endpoint)

    def _completer(self) -> Completer:
        from pyd_tui.shell.completion import ShellCompleter  # noqa: PLC0415 - after the first prompt

        return ShellCompleter(self._context, lambda: self._level.bash.report, lambda: self.tools)
