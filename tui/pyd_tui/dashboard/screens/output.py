"""What a program says, as it says it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from textual import on

from pyd_core.errors import NotFound
from pyd_core.sanitise import safe
from pyd_tui.dashboard.input.keymap import bindings
from pyd_tui.dashboard.logs.line_ring import Ring
from pyd_tui.dashboard.panels.footer import Footer
from pyd_tui.dashboard.render.figures import counted
from pyd_tui.dashboard.render.pieces import EMPTY, Cell, Span, cell
from pyd_tui.dashboard.screens.base import SearchableScreen
from pyd_tui.dashboard.widgets.line import Line
from pyd_tui.dashboard.widgets.lines import LineList
from pyd_tui.dashboard.widgets.prompt import Prompt

if TYPE_CHECKING:
    from textual.app import ComposeResult

MOST_BYTES = 4 << 20
"""Of output that are kept; the oldest lines go."""
FRAME = 0.1
"""Seconds between two paints of what never stops."""
LONGEST = 4096
"""Characters of a line that are kept."""


class Output(SearchableScreen):
    """Runs a program without a terminal of its own; it ends when the screen is closed.

    Args:
        argv: The program.
        title: What it is about.
        environment: Its environment.
    """

    BINDINGS = bindings("output", "everywhere")

    def __init__(self, argv: Sequence[str], title: str, environment: Mapping[str, str]) -> None:
        super().__init__()
        self._argv = argv
        self._title = title
        self._environment = environment
        self._said: Ring[Cell] = Ring(MOST_BYTES)
        self._process: asyncio.subprocess.Process | None = None
        self.code: int | None = None
        """How it ended; None while it runs."""

    def compose(self) -> ComposeResult:
        """The lines from top to bottom."""
        yield Line(id="title")
        yield _OutputLines(lambda line: line, following=True, empty="it has said nothing yet", id="output")
        yield Prompt(id="find")
        yield Footer()

    def on_mount(self) -> None:
        """Starts it."""
        self.pane.ask = self.ask_find
        self.pane.show(self._said)
        self._timer = self.set_interval(FRAME, self._paint, pause=True)
        self.set_focus(self.pane)
        self._tell()
        self.dashboard.tasks.start(self._run(), name=self._title)

    @property
    def pane(self) -> LineList[Cell]:
        """What it said."""
        return self.query_one(LineList)

    async def _run(self) -> None:
        try:
            self._process = process = await asyncio.create_subprocess_exec(
                *self._argv,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                env=dict(self._environment),
                start_new_session=True,
            )
        except FileNotFoundError as error:
            self.code, absent = 127, safe(self._argv[0])
            self._tell()
            raise NotFound(f"there is no program {absent}", hint="is it installed, and on PATH?") from error
        try:
            await self._read(process)
            self.code = await process.wait()
        finally:
            self._stop(signal.SIGTERM)
        if self.is_attached:
            self._paint()

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        if process.stdout is None:
            return
        rest = b""
        while chunk := await process.stdout.read(1 << 16):
            *whole, rest = (rest + chunk).replace(b"\r\n", b"\n").split(b"\n")
            for line in whole:
                self._add(line)
            rest = rest[-LONGEST:]
            self._timer.resume()
        if rest:
            self._add(rest)

    def _add(self, data: bytes) -> None:
        text = data.rpartition(b"\r")[2][:LONGEST].decode(errors="replace")  # of a line written over, the last version
        self._said.add(cell(text), len(data) + 64)

    def _paint(self) -> None:
        self._timer.pause()
        self.pane.sync()
        self._tell()

    @on(LineList.Changed)
    def _tell(self) -> None:
        state: Cell = cell("running", "good")
        if self.code is not None:
            state = cell(f"ended with {self.code}", "good" if self.code == 0 else "bad")
        lost = cell(f"{counted(self._said.dropped, 'older line')} dropped  ", "warn") if self._said.dropped else EMPTY
        no_more = ("times", "end") if self.code is not None else ("times",)  # nobody has stamped these lines
        self.query_one(Footer).set_scopes("output", "text", without=no_more)
        self.query_one("#title", Line).put(
            (*cell(self._title, "strong"), *cell(f"  {' '.join(self._argv)}", "dim")),
            (*self.pane.search_status, Span("  "), *lost, *state),
        )

    def _stop(self, number: signal.Signals) -> None:
        process = self._process
        if process is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, number)

    def on_unmount(self) -> None:
        """Ends it."""
        self._stop(signal.SIGTERM)

    def action_end(self) -> None:
        """Ends the program."""
        self._stop(signal.SIGTERM)

    def action_copy(self) -> None:
        """Copies the line at the top."""
        if self.pane.top < len(self._said):
            self.dashboard.errands.copy("".join(piece.text for piece in self._said[self.pane.top]))

    def action_back(self) -> None:
        """Ends a search, else goes back."""
        if not self.end_find():
            self.action_quit()


class _OutputLines(LineList[Cell]):
    """Follows its end."""

    can_follow = True
