"""The line editor: reads a line, which may span several, while listening to the session."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from prompt_toolkit.application import run_in_terminal
from prompt_toolkit.application.current import get_app
from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
from prompt_toolkit.completion import Completer, DynamicCompleter, ThreadedCompleter
from prompt_toolkit.data_structures import Size
from prompt_toolkit.enums import DEFAULT_BUFFER
from prompt_toolkit.filters import Condition, has_focus
from prompt_toolkit.formatted_text import FormattedText
from prompt_toolkit.input import Input, create_input
from prompt_toolkit.input.typeahead import get_typeahead, store_typeahead
from prompt_toolkit.input.vt100 import Vt100Input
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.lexers import DynamicLexer, Lexer
from prompt_toolkit.output.vt100 import Vt100_Output
from prompt_toolkit.shortcuts import PromptSession
from prompt_toolkit.styles import Style

from pyd_core.debug.terminal import window_size
from pyd_tui.shell.incomplete import is_incomplete
from pyd_tui.shell.prompt import STYLES
from pyd_tui.shell.terminal_replies import AnswerlessParser

if TYPE_CHECKING:
    import io

    from prompt_toolkit.history import History
    from prompt_toolkit.key_binding.key_processor import KeyPress

Pieces = list[tuple[str, str]]

_TOKENS = {
    "pygments.keyword": "ansimagenta",
    "pygments.name.builtin": "ansicyan",
    "pygments.name.variable": "ansiyellow",
    "pygments.literal.string": "ansigreen",
    "pygments.literal.number": "",
    "pygments.comment": "ansibrightblack",
    "pygments.operator": "ansiyellow",
    "auto-suggestion": "ansibrightblack",
    "completion-menu.meta.completion": "bg:ansibrightblack ansiwhite",
    "completion-menu.meta.completion.current": "bg:ansiwhite ansiblack",
}


class ReadAborted(Exception):
    """Reading was aborted: the session has ended, or this process was asked to end."""


class Editor:
    """Reads lines from the terminal.

    Args:
        screen: Where it draws.
        history: The target's history.
    """

    def __init__(self, screen: io.TextIOWrapper, history: History) -> None:
        self._lexer: Lexer | None = None
        self._completer: Completer | None = None
        self._loading: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._session: PromptSession[str] = PromptSession(
            input=_filtered_input(),
            history=history,
            lexer=DynamicLexer(lambda: self._lexer),
            completer=DynamicCompleter(lambda: self._completer),
            complete_while_typing=False,
            auto_suggest=AutoSuggestFromHistory(),
            enable_history_search=True,
            multiline=True,
            prompt_continuation=[("class:prompt.more", "> ")],
            key_bindings=_bindings(),
            style=Style.from_dict({**STYLES, **_TOKENS}),
            include_default_pygments_style=False,
            # The cursor's position isn't requested: the reply would come as keys, perhaps once a command runs.
            output=Vt100_Output(screen, _size, enable_cpr=False),
        )

    @property
    def is_reading(self) -> bool:
        """Whether a line is being edited."""
        return self._loop is not None

    def read(
        self,
        prompt: Callable[[], Pieces],
        sources: Sequence[int],
        listen: Callable[[], bool],
        on_prompt: Callable[[], None],
    ) -> str:
        """Read a line.

        Args:
            prompt: Returns the prompt; called for each drawing.
            sources: Descriptors to listen to.
            listen: Called when one of them has data; returns whether reading must stop.
            on_prompt: Called once the prompt is on the screen.

        Raises:
            ReadAborted: `listen` returned True, or `leave` was called.
            EOFError: The user typed ctrl-d.
            KeyboardInterrupt: The user typed ctrl-c.
        """

        def on_readable() -> None:
            if listen():
                for source in sources:
                    asyncio.get_running_loop().remove_reader(source)
                self.leave()

        def start() -> None:
            self._loop = loop = asyncio.get_running_loop()
            for source in sources:
                loop.add_reader(source, on_readable)
            loop.call_soon(on_prompt)

        try:
            return self._session.prompt(lambda: FormattedText(prompt()), pre_run=start)
        finally:
            self._loop = None

    def leave(self) -> None:
        """Abort reading; safe in a signal handler."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._leave)

    def _leave(self) -> None:
        app = self._session.app
        if app.is_running and not app.is_done:
            app.exit(exception=ReadAborted())

    def above(self, show: Callable[[], None]) -> None:
        """Print something above the line being edited."""
        run_in_terminal(show)

    def redraw(self) -> None:
        """Redraw the prompt, if there is one; from any thread."""
        loop = self._loop
        if loop is not None:
            with contextlib.suppress(RuntimeError):  # its line was entered meanwhile; the next prompt is drawn soon
                loop.call_soon_threadsafe(self._session.app.invalidate)

    def type_ahead(self, typed: bytes) -> None:
        """Queue keys that were typed before the prompt."""
        keys: list[KeyPress] = []
        parser = AnswerlessParser(keys.append)
        parser.feed(typed.decode(errors="replace").replace("\n", "\r"))
        parser.flush()
        if keys:
            store_typeahead(self._session.app.input, keys)

    def take_typed(self) -> bytes:
        """Return keys typed after the line, for the command that runs."""
        return "".join(key.data for key in get_typeahead(self._session.app.input)).encode(errors="surrogateescape")

    def load_completion(self, completer: Callable[[], Completer]) -> None:
        """Load highlighting and completion while the first line is typed."""
        if self._loading is None:
            self._loading = threading.Thread(target=self._load, args=(completer,), daemon=True)
            self._loading.start()

    def _load(self, completer: Callable[[], Completer]) -> None:
        from prompt_toolkit.lexers import PygmentsLexer  # noqa: PLC0415 - after the first prompt
        from pygments.lexers.shell import BashLexer  # noqa: PLC0415 - after the first prompt

        self._lexer = PygmentsLexer(BashLexer)
        self._completer = ThreadedCompleter(completer())
        self.redraw()


def _size() -> Size:
    rows, columns = window_size(1)
    return Size(rows=rows, columns=columns)


def _bindings() -> KeyBindings:
    bindings = KeyBindings()
    editing = has_focus(DEFAULT_BUFFER)

    @Condition
    def choosing() -> bool:
        state = get_app().current_buffer.complete_state
        return state is not None and state.current_completion is not None

    @bindings.add("enter", filter=editing & ~choosing)
    def _(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        if is_incomplete(buffer.text):
            buffer.newline(copy_margin=False)
        else:
            buffer.validate_and_handle()

    @bindings.add("enter", filter=editing & choosing)
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.complete_state = None

    @bindings.add("escape", "enter", filter=editing)
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.validate_and_handle()

    return bindings


def _filtered_input() -> Input:
    """Return the terminal's input, without the terminal's replies."""
    terminal = create_input()
    if isinstance(terminal, Vt100Input):
        terminal.vt100_parser = AnswerlessParser(terminal.vt100_parser.feed_key_callback)
    return terminal
