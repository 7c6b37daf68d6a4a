"""A search through the logs of all containers at once, of those that don't run too."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual import on

from pyd_core.errors import InvalidInput
from pyd_core.logs.pattern import LogPattern
from pyd_core.watch.delta import Delta
from pyd_tui.dashboard.engines.target import RowTarget
from pyd_tui.dashboard.input.keymap import bindings
from pyd_tui.dashboard.logs.search_results import HitKey, SearchResults
from pyd_tui.dashboard.panels.footer import Footer
from pyd_tui.dashboard.panels.header import Header
from pyd_tui.dashboard.render.figures import counted
from pyd_tui.dashboard.render.findings import COLUMNS, content_widths, match_row, search_summary
from pyd_tui.dashboard.render.logrow import pattern_mode
from pyd_tui.dashboard.render.pieces import EMPTY, Cell, Span, cell
from pyd_tui.dashboard.screens.base import LiveScreen
from pyd_tui.dashboard.screens.logs import LogScreen
from pyd_tui.dashboard.widgets.line import Line
from pyd_tui.dashboard.widgets.prompt import Prompt
from pyd_tui.dashboard.widgets.table import Table

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from pyd_tui.dashboard.engines.connection import EngineConnection

FRAME = 0.1
"""Seconds between two paints while lines are found."""


class SearchScreen(LiveScreen):
    """Lists the lines that have what was typed, as they are found.

    Args:
        text: What to look for; empty asks for it.
    """

    BINDINGS = bindings("search", "everywhere")

    def __init__(self, text: str = "") -> None:
        super().__init__()
        self._pattern = LogPattern(text)
        self._findings: SearchResults | None = None
        self._work: asyncio.Task[None] | None = None
        self._stopped = False

    def compose(self) -> ComposeResult:
        """The lines from top to bottom."""
        yield Header(self.links, self.dashboard.clock)
        yield Line(id="title")
        yield Prompt(id="wanted")
        found: Table[HitKey] = Table(COLUMNS, self._cells, id="found")
        yield found
        yield Footer("search")

    def on_mount(self) -> None:
        """Searches, or asks for what."""
        self.table: Table[HitKey] = self.query_one(Table)
        self._prompt = self.query_one(Prompt)
        self._timer = self.set_interval(FRAME, self._paint, pause=True)
        self.query_one(Header).update_content()
        self._prompt.set_text(self._pattern.text)
        if self._pattern.text:
            self._search()
        else:
            self.table.say(("enter searches the logs of all containers, of those that don't run too", "dim"))
            self.action_ask()
        self._tell()

    def on_unmount(self) -> None:
        """Ends the search."""
        self._cancel()

    @property
    def links(self) -> Sequence[EngineConnection]:
        """The engines whose containers are searched."""
        return self.dashboard.in_sight

    @property
    def running(self) -> bool:
        """Whether the search goes on."""
        return self._work is not None and not self._work.done()

    def changed(self, link: EngineConnection, delta: Delta, *, happened: bool) -> None:
        """Says how the engine does."""
        del link, delta, happened
        self.query_one(Header).update_content()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """How it is taken can be changed while it is typed."""
        return action == "mode" or super().check_action(action, parameters)

    def _search(self) -> None:
        self._cancel()
        try:
            _ = self._pattern.expression
        except InvalidInput as error:
            self.dashboard.say(error.message, "bad", error.hint)
            return
        self._stopped = False
        self._findings = findings = SearchResults(self.links, self._pattern, self._timer.resume)
        self._work = self.dashboard.tasks.start(self._run(findings), name="search of all logs")
        self.table.set_rows([], {})
        self.set_focus(self.table)
        self._paint()

    async def _run(self, findings: SearchResults) -> None:
        try:
            await findings.run()
        finally:
            if self.is_attached and self._findings is findings:
                self.call_later(self._paint)  # when this is over

    def _cancel(self) -> None:
        if self._work is not None:
            self._work.cancel()

    def _paint(self) -> None:
        self._timer.pause()
        if (findings := self._findings) is not None:
            self._said(findings)
            self.table.set_rows([*findings.keys], content_widths(findings, engine=len(self.links) > 1))
        self._tell()

    def _said(self, findings: SearchResults) -> None:
        if self.running:
            self.table.say(("nothing found yet", "dim"))
        elif findings.errors:
            error = findings.errors[0]
            self.table.say((error.message, "bad"), (error.hint, "dim"))
        else:
            self.table.say((f"no line in {counted(findings.containers, 'container')} has it", "dim"))

    def _tell(self) -> None:
        findings = self._findings
        status = EMPTY if findings is None else search_summary(findings, running=self.running, stopped=self._stopped)
        self.query_one("#title", Line).put((Span("Search of all logs", "title"),), status)
        self._prompt.set_notes(cell(pattern_mode(self._pattern), "dim"), EMPTY)
        self.query_one(Footer).set_scopes("search", without=() if self.running else ("end",))

    def _cells(self, key: HitKey) -> tuple[Cell, ...]:
        findings = self._findings
        if findings is None or (hit := findings.hits.get(key)) is None:
            return (EMPTY,) * len(COLUMNS)
        return match_row(hit, findings.pattern, self.dashboard.clock, engine=len(self.links) > 1)

    # What keys do

    def action_open(self) -> None:
        """Opens the log at the line under the cursor."""
        if self._findings is None or (key := self.table.key) is None:
            return
        hit = self._findings.hits[key]
        target = RowTarget(hit.link, hit.line.container_id)
        if target.entry is None:
            self.dashboard.say("that container is gone", "warn", "its log went with it")
        else:
            self.app.push_screen(LogScreen((target,), hit.line.time_ns))

    def action_ask(self) -> None:
        """Lets the user type what to look for."""
        self.set_focus(self._prompt)

    def action_mode(self) -> None:
        """Takes what is looked for another way; what was searched is searched again."""
        self._pattern = self._pattern.next_mode()
        self._tell()
        if self._findings is not None and self.focused is not self._prompt:
            self._search()

    def action_end(self) -> None:
        """Ends the search; what was found stays."""
        if self.running:
            self._stopped = True
            self._cancel()

    def action_back(self) -> None:
        """Ends the search; then goes back."""
        if self.running:
            self.action_end()
        else:
            self.dismiss()

    @on(Prompt.Done)
    def _typed(self, event: Prompt.Done) -> None:
        if event.kept and event.control.text:
            self._pattern = LogPattern(
                event.control.text, regex=self._pattern.regex, case_sensitive=self._pattern.case_sensitive
            )
            self._search()
        elif self._findings is None:
            self.dismiss()
        else:
            self._prompt.set_text(self._findings.pattern.text)
            self.set_focus(self.table)
