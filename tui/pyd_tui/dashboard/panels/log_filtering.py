"""Search and filters of a log, and the line in which the user types them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from textual import on
from textual.widget import Widget

from pyd_core.errors import InvalidInput
from pyd_core.logs.annotation import Annotation
from pyd_core.logs.filters import Filters, mute_all_except, parse_filter, value_filters
from pyd_core.logs.line import LogLine
from pyd_core.logs.pattern import LogPattern
from pyd_tui.dashboard.panels.logview import LogView
from pyd_tui.dashboard.render.logrow import pattern_mode
from pyd_tui.dashboard.render.pieces import Cell, cell
from pyd_tui.dashboard.widgets.prompt import Prompt

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyd_core.logs.store import LogItem
    from pyd_tui.dashboard.logs.logbook import Logbook
    from pyd_tui.dashboard.logs.sources import Sources
    from pyd_tui.dashboard.protocols import Notifier


class LogFiltering(Widget):
    """The part of a log panel that searches and filters.

    Args:
        host: Shows messages.
        sources: The containers of the lines.
        on_changed: Called when the search or the filters change.
    """

    view: LogView

    def __init__(self, host: Notifier, sources: Sources, on_changed: Callable[[], None], *, id: str) -> None:
        super().__init__(id=id)
        self._host = host
        self.sources = sources
        self.on_changed = on_changed
        self._prompt = Prompt(id="ask")
        self._mode = LogPattern("")

    @property
    def book(self) -> Logbook:
        """The log."""
        return self.view.book

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Treat keys as text while the user types, except for the key for the mode."""
        typing = isinstance(self.screen.focused, Prompt)
        return (action == "mode" or not typing) and super().check_action(action, parameters)

    def action_find(self) -> None:
        """Ask for a search text."""
        self._open_prompt("/", self.book.search.pattern.text if self.book.search is not None else "")

    def action_narrow(self) -> None:
        """Ask for a filter."""
        self._open_prompt("&", "")

    def action_narrow_value(self) -> None:
        """Ask for a filter by a value of the line under the cursor."""
        item = self.item
        choices = value_filters(item) if isinstance(item, LogLine) else ()
        if not choices:
            self._host.say("this line has no fields", "warn", "& filters by text")
            return
        self._open_prompt("&", choices[0])
        self._prompt.complete = lambda text: (
            choices[(choices.index(text) + 1) % len(choices)] if text in choices else text
        )

    def _open_prompt(self, sign: str, text: str) -> None:
        self._prompt.sign = sign
        self._prompt.set_text(text)
        self._prompt.complete = None
        self._show_note()
        self._prompt.display = True
        self.screen.set_focus(self._prompt)

    def _show_note(self, problem: str = "") -> None:
        note: Cell = cell(problem, "bad")
        if not problem and self._prompt.sign == "&":
            try:
                log_filter = parse_filter(self._prompt.text, self._mode) if self._prompt.text.strip("!") else None
            except InvalidInput as error:
                note, log_filter = cell(error.message, "bad"), None
            if log_filter is not None:
                verb = "hides" if log_filter.exclude else "keeps"
                note = cell(f"{verb} lines by their {'fields' if log_filter.tests else 'text'}", "dim")
        self._prompt.set_notes(note, cell(f"^g {pattern_mode(self._mode)}", "dim"))

    def action_mode(self) -> None:
        """Switch to the next kind of pattern."""
        self._mode = self._mode.next_mode()
        if self.screen.focused is self._prompt:
            self._typed()
        elif self.book.search is not None:
            self.find(self.book.search.pattern.text)

    @on(Prompt.Changed, "#ask")
    def _typed(self) -> None:
        if self._prompt.sign == "/":
            self.find(self._prompt.text)
        else:
            self._show_note()

    @on(Prompt.Done, "#ask")
    def _done(self, event: Prompt.Done) -> None:
        event.stop()
        self._prompt.display = False
        self.screen.set_focus(self.view)
        if self._prompt.sign == "/":
            if event.kept:
                self.view.jump()
                self.view.seek_older()
            else:
                self.find("")
        elif event.kept and self._prompt.text.strip("!"):
            try:
                log_filter = parse_filter(self._prompt.text, self._mode)
            except InvalidInput as error:
                self._host.say(error.message, "bad", error.hint)
                return
            filters = self.book.shown.filters
            self.narrow(replace(filters, stack=(*filters.stack, log_filter)))

    def find(self, text: str) -> None:
        """Highlight every match, and go to the nearest one."""
        try:
            self.view.seek(replace(self._mode, text=text))
        except InvalidInput as error:
            self._show_note(error.message)
            return
        self._show_note()

    def action_find_next(self, step: int) -> None:
        """Go to the next match, or the previous one."""
        self.view.find_next(step)

    def narrow(self, filters: Filters) -> None:
        """Show the lines that pass these filters."""
        self.book.narrow(filters)
        self.view.sync()
        self.view.redraw()
        self.on_changed()

    def action_remove_filter(self) -> None:
        """Remove the last filter."""
        filters = self.book.shown.filters
        self.narrow(replace(filters, stack=filters.stack[:-1]))

    def action_context(self, step: int) -> None:
        """Show more or less context."""
        filters = self.book.shown.filters
        lines = max(0, filters.before + step)
        self.narrow(replace(filters, before=lines, after=lines))

    def action_solo(self) -> None:
        """Show only one container, or all again."""
        filters, key = self.book.shown.filters, self.source
        if key is not None and len(self.sources.keys) > 1:
            muted = frozenset() if filters.muted else mute_all_except(self.sources.keys, key)
            self.narrow(replace(filters, muted=muted))

    def action_mute(self) -> None:
        """Hide one container; the last one stays."""
        filters, key = self.book.shown.filters, self.source
        if key is not None and len(filters.muted) + 1 < len(self.sources.keys):
            self.narrow(replace(filters, muted=filters.muted | {key}))

    def clear(self) -> bool:
        """Clear the selection, else the search, else the filters, and return whether there was one."""
        if self.view.selection_start is not None:
            self.view.select()
        elif self.book.search is not None:
            self._prompt.set_text("")
            self.find("")
        elif self.book.shown.filters:
            self.narrow(Filters())
        else:
            return False
        return True

    @property
    def item(self) -> LogItem | None:
        """The line under the cursor."""
        cursor = self.view.cursor
        return None if cursor is None else self.book.store[cursor]

    @property
    def source(self) -> str | None:
        """The container of the line under the cursor."""
        item = self.item
        return item.container_id if isinstance(item, LogLine | Annotation) else None
