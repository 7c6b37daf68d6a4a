"""The search in the logs of all containers, stopped ones too."""

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

FRAME_INTERVAL_S = 0.1
"""The interval between two paints during a search."""


class HitTable(Table[HitKey]):
    """Matching lines; without any there are no headings."""

    HEADS_EMPTY = False


class SearchScreen(LiveScreen):
    """Lists matching lines as they are found.

    Args:
        text: The search text; empty asks for it.
    """

    BINDINGS = bindings("search", "everywhere")

    def __init__(self, text: str = "") -> None:
        super().__init__()
        self._pattern = LogPattern(text)
        self._results: SearchResults | None = None
        self._work: asyncio.Task[None] | None = None
        self._stopped = False

    def compose(self) -> ComposeResult:
        """Lay out the lines from top to bottom."""
        yield Header(self.links, self.dashboard.clock)
        yield Line(id="title")
        yield Prompt(id="wanted")
        yield HitTable(COLUMNS, self._cells, id="found")
        yield Footer("search")

    def on_mount(self) -> None:
        """Search, or ask for the text."""
        self.table: Table[HitKey] = self.query_one(Table)
        self._prompt = self.query_one(Prompt)
        self._timer = self.set_interval(FRAME_INTERVAL_S, self._paint, pause=True)
        self.query_one(Header).update_content()
        self._prompt.set_text(self._pattern.text)
        if self._pattern.text:
            self._search()
        else:
            self.table.say(("enter searches all logs, including those of stopped containers", "dim"))
            self.action_ask()
        self._update_title()

    def on_unmount(self) -> None:
        """End the search."""
        self._cancel()

    @property
    def links(self) -> Sequence[EngineConnection]:
        """The engines whose containers are searched."""
        return self.dashboard.in_sight

    @property
    def running(self) -> bool:
        """Whether the search is running."""
        return self._work is not None and not self._work.done()

    def changed(self, link: EngineConnection, delta: Delta, *, happened: bool) -> None:
        """Update the state of the engine."""
        del link, delta, happened
        self.query_one(Header).update_content()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Allow the key for the mode while the user types."""
        return action == "mode" or super().check_action(action, parameters)

    def _search(self) -> None:
        self._cancel()
        try:
            _ = self._pattern.expression
        except InvalidInput as error:
            self.dashboard.say(error.message, "bad", error.hint)
            return
        self._stopped = False
        self._results = results = SearchResults(self.links, self._pattern, self._timer.resume)
        self._work = self.dashboard.tasks.start(self._run(results), name="search of all logs")
        self.table.set_rows([], {})
        self.set_focus(self.table)
        self._paint()

    async def _run(self, results: SearchResults) -> None:
        try:
            await results.run()
        finally:
            if self.is_attached and self._results is results:
                self.call_later(self._paint)  # once this task has ended

    def _cancel(self) -> None:
        if self._work is not None:
            self._work.cancel()

    def _paint(self) -> None:
        self._timer.pause()
        if (results := self._results) is not None:
            self._show_empty(results)
            self.table.set_rows([*results.keys], content_widths(results, engine=len(self.links) > 1))
        self._update_title()

    def _show_empty(self, results: SearchResults) -> None:
        if self.running:
            self.table.say(("nothing found yet", "dim"))
        elif results.errors:
            error = results.errors[0]
            self.table.say((error.message, "bad"), (error.hint, "dim"))
        else:
            self.table.say((f"no line matches in {counted(results.containers, 'container')}", "dim"))

    def _update_title(self) -> None:
        results = self._results
        status = EMPTY if results is None else search_summary(results, running=self.running, stopped=self._stopped)
        self.query_one("#title", Line).put((Span("Search all logs", "title"),), status)
        self._prompt.set_notes(cell(pattern_mode(self._pattern), "dim"), EMPTY)
        self.query_one(Footer).set_scopes("search", without=self._lacking)

    @property
    def _lacking(self) -> tuple[str, ...]:
        """Actions that don't apply: none opens a line while there is none, or ends a search that doesn't run."""
        return (*(() if self.table.keys else ("open",)), *(() if self.running else ("end",)))

    def _cells(self, key: HitKey) -> tuple[Cell, ...]:
        results = self._results
        if results is None or (hit := results.hits.get(key)) is None:
            return (EMPTY,) * len(COLUMNS)
        room = self.table.column_width("line")
        return match_row(hit, results.pattern, self.dashboard.clock, engine=len(self.links) > 1, room=room)

    # Actions of keys

    def action_open(self) -> None:
        """Open the log at the line under the cursor."""
        if self._results is None or (key := self.table.key) is None:
            return
        hit = self._results.hits[key]
        target = RowTarget(hit.link, hit.line.container_id)
        if target.entry is None:
            self.dashboard.say("that container was removed", "warn", "its log was removed with it")
        else:
            self.app.push_screen(LogScreen((target,), hit.line.time_ns))

    def action_ask(self) -> None:
        """Let the user type a search text."""
        self.set_focus(self._prompt)

    def action_mode(self) -> None:
        """Switch to the next kind of pattern, and search again."""
        self._pattern = self._pattern.next_mode()
        self._update_title()
        if self._results is not None and self.focused is not self._prompt:
            self._search()

    def action_end(self) -> None:
        """End the search; its results stay."""
        if self.running:
            self._stopped = True
            self._cancel()

    def action_back(self) -> None:
        """End the search; then go back."""
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
        elif self._results is None:
            self.dismiss()
        else:
            self._prompt.set_text(self._results.pattern.text)
            self.set_focus(self.table)
