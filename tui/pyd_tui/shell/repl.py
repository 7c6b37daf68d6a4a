"""The debug shell: reads a line, has it run, and again, until the session is over."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, cast

import msgspec

from pyd_core.client.endpoint import Endpoint
from pyd_core.debug.bash import Bash
from pyd_core.debug.debug_session import DebugSession
from pyd_core.debug.options import DebugOptions
from pyd_core.debug.plan import make_plan
from pyd_core.debug.session_request import SessionRequest
from pyd_core.debug.supervisor import Supervisor
from pyd_core.debug.target import LocalTarget, RemoteTarget
from pyd_core.debug.user_io import NoticesOnly
from pyd_core.errors import Conflict, PydError, Unsupported
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

    from pyd_core.client.engine_client import EngineClient
    from pyd_core.debug.access import Access

INTERRUPTED = 130


@dataclass
class NestingLevel:
    """One bash: the session's own, or one that `su` opened.

    Attributes:
        bash: It.
        identity: Who it runs as.
        held: What a session that this shell opened itself stands on, in the order in which it is closed.
    """

    bash: Bash
    identity: str
    held: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)


class _Lazily:
    """An `Access` that is made when a builtin first asks something of it."""

    def __init__(self, make: Callable[[], Access]) -> None:
        self._make = make

    def __getattr__(self, name: str) -> object:
        return getattr(self._make(), name)


class Repl:
    """An interactive debug shell; a `pyd_tui.shell.interactive_shell.Desk` for its builtins.

    Args:
        endpoint: The engine.
        options: Of the session.
        target: What it is in.
        toolbox: The toolbox's folder.
        screen: What the user sees.
        attached: Whether the session goes on without this process.
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
    ) -> None:
        self._endpoint = endpoint
        self._options = options
        self._target = target
        self._toolbox = toolbox
        self._screen = screen
        self._attached = attached
        self._levels: list[NestingLevel] = []
        self._code: int | None = None
        """Of the last line, where bash doesn't know it."""
        self._leaving = False
        self._recorder: SessionRecording | None = None
        self._tools: frozenset[str] | None = None
        self._background = bytearray()
        self._editor = Editor(screen.text(), TargetHistory(history_path(target.container.name or target.name)))
        self._calls = LineDispatcher(self._context, self._bash)
        self._watch = StateWatch(endpoint, target.container, self._editor.redraw)
        self._elsewhere: Access | None = None
        self._reaching = threading.Lock()
        self._held = contextlib.ExitStack()
        """What lasts as long as the shell: the helper container that answers builtins, once one has asked."""

    # --- what builtins may ask for --------------------------------------------------------------------------------

    @property
    def path(self) -> str:
        """See `Desk`."""
        return self._level.bash.report.path

    @property
    def functions(self) -> Sequence[str]:
        """See `Desk`."""
        return self._level.bash.report.functions

    @property
    def tools(self) -> Collection[str]:
        """See `Desk`."""
        if self._tools is None:
            found = set[str]()
            for folder in ("bin", "sbin"):
                with contextlib.suppress(OSError):
                    found.update(os.listdir(f"{self._toolbox}/{folder}"))  # noqa: PTH208 - names alone
            self._tools = frozenset(found)
        return self._tools

    def switch(self, identity: str) -> None:
        """See `Desk`."""
        options = msgspec.structs.replace(self._options, identity=identity)
        with contextlib.ExitStack() as held:
            supervisor = Supervisor()
            held.callback(supervisor.close)
            session = held.enter_context(self._another(options, supervisor))
            session.plan["cwd"] = self._level.bash.report.cwd
            bash = Bash(session, show=self._show)
            held.callback(bash.close)
            bash.start()
            bash.wait_ready()
            if bash.has_ended:
                session.result()  # says why, where it can
                raise Conflict(f"the shell as {identity} has ended at once")
            self._levels.append(NestingLevel(bash, identity, held.pop_all()))

    @contextlib.contextmanager
    def _another(self, options: DebugOptions, supervisor: Supervisor) -> Iterator[DebugSession]:
        """Give another session in the same target, not started yet."""
        if isinstance(self._target, RemoteTarget):
            from pyd_core.debug.helper.session import additional_session  # noqa: PLC0415 - targets here don't pay for it

            request, io = SessionRequest(self._endpoint, options), NoticesOnly(self._tell)
            with additional_session(request, self._target.container, supervisor, io) as session:
                session.on_line = self._note
                yield session
            return
        plan = make_plan(self._target, options, self._toolbox, terminal=True, conversing=True)
        plan["client"] = os.getpid()
        session = DebugSession(self._target, supervisor, plan)
        session.on_line = self._note
        yield session

    def _note(self, line: str) -> None:
        """Show a line while the terminal is a session's."""
        self._show(f"pyd: {line}\r\n".encode())

    @staticmethod
    def _tell(line: str) -> None:
        print(f"pyd: {line}", file=sys.stderr)  # noqa: T201 - the shell's own stream

    def record(self, path: Path | None) -> Path | None:
        """See `Desk`."""
        begun = None if path is None else SessionRecording(path, f"pyd debug {self._target.name}")
        ended = self._recorder
        if ended is not None:
            ended.close()
        self._recorder = self._screen.recorder = begun
        return None if ended is None else ended.path

    def detach(self) -> None:
        """See `Desk`."""
        if not self._attached or len(self._levels) > 1:
            raise Unsupported(
                "this shell ends with its terminal",
                hint="begin one that doesn't: pyd debug --detach NAME" if not self._attached else "first: exit",
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
        streams = sys.stdout, sys.stderr
        sys.stdout, sys.stderr = self._screen.text(), self._screen.text()
        interrupted = signal.signal(signal.SIGINT, self._interrupt)
        try:
            while self._goes_on():
                try:
                    self._turn()
                except ReadAborted:
                    if not self._level.bash.has_ended:
                        raise  # told to end
                except KeyboardInterrupt:
                    self._code = INTERRUPTED
        finally:
            for stream in (sys.stdout, sys.stderr):
                with contextlib.suppress(OSError):
                    stream.flush()
            signal.signal(signal.SIGINT, interrupted)
            sys.stdout, sys.stderr = streams
            for level in self._levels[1:]:
                level.held.close()
            self._held.close()
            self.record(None)

    def _interrupt(self, _number: int, _frame: object) -> None:
        """Give a ctrl-c that came as a signal to the builtin that runs, else to bash: the terminal wasn't raw yet."""
        if self._calls.busy:
            raise KeyboardInterrupt
        self._level.bash.interrupt()

    def leave(self) -> None:
        """End the reading of a line, from a signal's handler."""
        self._editor.leave()

    @property
    def is_reading(self) -> bool:
        """Whether a line is being edited."""
        return self._editor.is_reading

    def show(self, data: bytes) -> None:
        """Take what a session prints."""
        self._show(data)

    def _goes_on(self) -> bool:
        while len(self._levels) > 1 and self._level.bash.has_ended:
            level = self._levels.pop()
            with contextlib.suppress(PydError):
                self._code = level.bash.link.result()
            level.held.close()
        return not self._leaving and not self._level.bash.has_ended

    def _turn(self) -> None:
        bash = self._level.bash
        self._screen.fresh_line()
        try:
            line = self._editor.read(self._prompt, bash.sources, self._listen, self._begun)
        except EOFError:
            line = "exit"
        if line.strip():
            self._code = None
            self._code = self._calls.run(line)

    def _begun(self) -> None:
        self._watch.renew()
        self._editor.load(self._completer)

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
        """Show output at once, or above the line that is being edited."""
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

    def _context(self) -> ShellContext:
        level = self._level
        return ShellContext(
            access=self._access(),
            engine=self._engine,
            name=self._target.name,
            cwd=level.bash.report.cwd,
            identity=level.identity,
            send=lambda line: self._editor.type_ahead(f"{line}\n".encode()),
            desk=self,
            model=self._target.model if isinstance(self._target, LocalTarget) else "",
        )

    def _access(self) -> Access:
        if isinstance(self._target, RemoteTarget):
            return cast("Access", _Lazily(self._through_helper))
        from pyd_core.debug.local import LocalAccess  # noqa: PLC0415 - after the first prompt

        return LocalAccess(self._target, self._toolbox, self._options)

    def _through_helper(self) -> Access:
        with self._reaching:  # a builtin and the completion of a line may both be the first to ask
            if self._elsewhere is None:
                from pyd_core.debug.helper.access import open_session_access  # noqa: PLC0415 - targets here don't pay for it

                request = SessionRequest(self._endpoint, self._options)
                access = open_session_access(request, self._target.container, NoticesOnly(self._tell))
                self._elsewhere = self._held.enter_context(access)
            return self._elsewhere

    def _engine(self) -> EngineClient:
        from pyd_core.client.engine_client import EngineClient  # noqa: PLC0415 - few builtins ask it
        from pyd_core.client.transport.choice import blocking_transport  # noqa: PLC0415 - likewise

        return EngineClient(self._endpoint, blocking_transport(self._endpoint))

    def _completer(self) -> Completer:
        from pyd_tui.shell.completion import ShellCompleter  # noqa: PLC0415 - after the first prompt

        return ShellCompleter(self._context, lambda: self._level.bash.report, lambda: self.tools)
