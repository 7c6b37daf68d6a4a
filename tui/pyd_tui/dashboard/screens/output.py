"""The live output of a program."""

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

MAX_OUTPUT_BYTES = 4 << 20
"""The amount of output that is kept; the oldest lines are dropped."""
FRAME_INTERVAL_S = 0.1
"""The interval between two paints of continuous output."""
MAX_LINE_CHARACTERS = 4096
"""The number of characters kept of a line."""


class Output(SearchableScreen):
    """Runs a program without a terminal; closing the screen ends it.

    Args:
        argv: The program.
        title: The title.
        environment: The environment of the program.
    """

    BINDINGS = bindings("output", "everywhere")

    def __init__(self, argv: Sequence[str], title: str, environment: Mapping[str, str]) -> None:
        super().__init__()
        self._argv = argv
        self._title = title
        self._environment = environment
        self._output: Ring[Cell] = Ring(MAX_OUTPUT_BYTES)
        self._process: asyncio.subprocess.Process | None = None
        self.code: int | None = None
        """The exit code; None while it runs."""

    def compose(self) -> ComposeResult:
        """Lay out the lines from top to bottom."""
        yield Line(id="title")
        yield _OutputLines(lambda line: line, following=True, empty="no output yet", id="output")
        yield Prompt(id="find")
        yield Footer()

    def on_mount(self) -> None:
        """Start the program."""
        self.pane.ask = self.ask_find
        self.pane.show(self._output)
        self._timer = self.set_interval(FRAME_INTERVAL_S, self._paint, pause=True)
        self.set_focus(self.pane)
        self._update_title()
        self.dashboard.tasks.start(self._run(), name=self._title)

    @property
    def pane(self) -> LineList[Cell]:
        """The output."""
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
            self._update_title()
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
            rest = rest[-MAX_LINE_CHARACTERS:]
            self._timer.resume()
        if rest:
            self._add(rest)

    def _add(self, data: bytes) -> None:
        text = data.rpartition(b"\r")[2][:MAX_LINE_CHARACTERS].decode(
            errors="replace"
        )  # of an overwritten line, the last version
        self._output.add(cell(text), len(data) + 64)

    def _paint(self) -> None:
        self._timer.pause()
        self.pane.sync()
        self._update_title()

    @on(LineList.Changed)
    def _update_title(self) -> None:
        state: Cell = cell("running", "good")
        if self.code is not None:
            state = cell(f"ended with {self.code}", "good" if self.code == 0 else "bad")
        lost = (
            cell(f"{counted(self._output.dropped, 'older line')} dropped  ", "warn") if self._output.dropped else EMPTY
        )
        no_more = ("times", "end") if self.code is not None else ("times",)  # these lines have no times
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
        """End the program."""
        self._stop(signal.SIGTERM)

    def action_end(self) -> None:
        """End the program."""
        self._stop(signal.SIGTERM)

    def action_copy(self) -> None:
        """Copy the line at the top."""
        if self.pane.top < len(self._output):
            self.dashboard.transfers.copy("".join(piece.text for piece in self._output[self.pane.top]))

    def action_back(self) -> None:
        """End a search, else go back."""
        if not self.end_find():
            self.action_quit()


class _OutputLines(LineList[Cell]):
    """Follows the end of the output."""

    can_follow = True
