"""A log with everything that can be done to it, on a screen of its own or next to other panels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from pyd_core.logs.line import LogLine
from pyd_core.logs.pattern import plain
from pyd_core.model.base import format_time
from pyd_core.sanitise import safe_bytes
from pyd_tui.dashboard.actions.clipboard import MAX_CLIPBOARD_BYTES, clipboard_works, save
from pyd_tui.dashboard.input.keymap import bindings
from pyd_tui.dashboard.logs.sources import Sources, legend
from pyd_tui.dashboard.logs.window import TAIL, WINDOW_HELP, WINDOWS, Goal, Window
from pyd_tui.dashboard.panels.log_filtering import LogFiltering
from pyd_tui.dashboard.panels.logview import LogView
from pyd_tui.dashboard.render.figures import Clock, counted
from pyd_tui.dashboard.render.logrow import chips
from pyd_tui.dashboard.render.pieces import Cell, cell
from pyd_tui.dashboard.widgets.line import Line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from textual.app import ComposeResult

    from pyd_core.logs.store import LogItem
    from pyd_tui.dashboard.logs.logbook import Logbook
    from pyd_tui.dashboard.protocols import Notifier


class LogPanel(LogFiltering):
    """Shows the lines of a log, its filters, and the line to type a search into.

    Args:
        book: The log.
        sources: Its containers.
        clock: The clock.
        host: Shows messages.
        on_changed: Called when the position, the search or the filters change.
    """

    DEFAULT_CSS = """
    LogPanel { height: 1fr; }
    LogPanel #ask { display: none; }
    LogPanel #chips { display: none; }
    """
    BINDINGS = bindings("log")

    def __init__(
        self, book: Logbook, sources: Sources, clock: Clock, host: Notifier, on_changed: Callable[[], None], *, id: str
    ) -> None:
        super().__init__(host, sources, on_changed, id=id)
        self._clock = clock
        self._chips = Line(id="chips")
        self.view = LogView(book, clock, on_changed, id=f"{id}-lines")
        self.view.on_selected = self.action_copy
        self.on_full: Callable[[], None] = lambda: None
        """Shows only the log, full screen."""
        self.on_debug: Callable[[], None] = lambda: None
        """Opens a debug shell in the line's container."""
        self.hides_chips = False

    def compose(self) -> ComposeResult:
        """Lay out the lines from top to bottom."""
        yield self._chips
        yield self.view
        yield self._prompt

    def show(self, book: Logbook, sources: Sources) -> None:
        """Show the new lines of a log, or another log; the search stays."""
        if book is not self.book:
            searched, self.view.book, self.sources = self.book.search, book, sources
            self.view.restart()
            if searched is not None:
                book.find(searched.pattern)
        else:
            self.view.sync()
        self.show_chips()

    def show_chips(self, labels: Mapping[str, Cell] | None = None) -> None:
        """Show the filters, and the names of several containers in their colours."""
        if labels is not None:
            self.view.log_style = replace(self.view.log_style, labels=labels)
        filters = self.book.shown.filters
        names = legend(self.view.log_style.labels, self.sources.names, filters.muted)
        self._chips.display = bool(names or filters) and not self.hides_chips
        if names or filters:
            self._chips.put((*names, *chips(filters)))

    @property
    def status(self) -> Cell:
        """The time span that is read, unless it is the end, and the status of the lines."""
        window = self.book.window
        return (*(cell(f"{window.label}  ", "accent") if window is not TAIL else ()), *self.view.status)

    @property
    def key_labels(self) -> dict[str, str]:
        """The footer's labels of keys that depend on how the lines are shown."""
        labels = {"wrap": "cut"} if self.view.wrap else {}
        if not self.view.log_style.columns:
            labels["columns"] = "fields"
        if self.book.search is not None:
            labels["find_next(1)"] = "next"
        return labels

    async def read(self, window: Window, goal: Goal | None = None) -> None:
        """Read another part of the log."""
        await self.book.read(window, goal=goal)
        self.view.restart()
        self.on_changed()

    # Display

    def action_follow(self) -> None:
        """Follow new lines, or stop."""
        self.view.follow()
        self.on_changed()

    def action_times(self) -> None:
        """Show or hide the times."""
        self.view.show_times()

    def action_columns(self) -> None:
        """Show fields in columns, or raw lines."""
        self.view.log_style = replace(self.view.log_style, columns=not self.view.log_style.columns)
        self.view.redraw()
        self.on_changed()

    def action_wrap(self) -> None:
        """Wrap long lines, or cut them."""
        self.view.set_wrap(wrap=not self.view.wrap)
        self.on_changed()

    def action_left(self) -> None:
        """Scroll left in long lines."""
        self.view.slide(-1)

    def action_right(self) -> None:
        """Scroll right in long lines."""
        self.view.slide(1)

    def action_full(self) -> None:
        """Show only the log, full screen."""
        self.on_full()

    def action_debug(self) -> None:
        """Open a debug shell in the container of the line under the cursor."""
        self.on_debug()

    def action_whole(self) -> None:
        """Open the line under the cursor."""
        from pyd_tui.dashboard.screens.line import LineScreen  # noqa: PLC0415 - on first use

        if (item := self.item) is not None:
            self.app.push_screen(LineScreen(item))

    async def action_window(self, key: str) -> None:
        """Read another part of the log."""
        await self.read(WINDOWS[key])

    def action_windows(self) -> None:
        """Let the user choose the part of the log."""
        from pyd_tui.dashboard.screens.menu import Menu, MenuEntry, perform  # noqa: PLC0415 - on first use

        entries = [
            MenuEntry(key=key, text=text, run=partial(self.call_later, self.action_window, key))
            for key, text in WINDOW_HELP.items()
        ]
        self.app.push_screen(Menu("Show the log", entries), perform)

    async def action_previous(self) -> None:
        """Read the lines before the last start, or return to the end."""
        if self.book.window.before_ns:
            await self.read(TAIL)
            return
        keys = self.sources.keys
        entry = self.sources.entry(keys[0]) if len(keys) == 1 else None
        if entry is None or not entry.started_ns:
            self._host.say("select a single container that was started", "warn")
            return
        await self.read(Window(label="before its last start", before_ns=entry.started_ns))

    # Copy and save

    def action_visual(self) -> None:
        """Start or end a selection."""
        self.view.select()

    def action_mark(self) -> None:
        """Mark or unmark the line."""
        cursor = self.view.cursor
        if cursor is not None:
            self.view.marked ^= {cursor}
            self.view.go(cursor)

    def action_copy(self) -> None:
        """Copy to the terminal's clipboard; text that is too long is saved to a file."""
        chosen = self.view.selected
        if not chosen:
            return
        text = "\n".join(self.plain_text(self.book.store[number], time=False) for number in chosen)
        self.view.selection_start = None
        self.view.redraw()
        what = "the line" if len(chosen) == 1 else counted(len(chosen), "line")
        if len(text.encode()) <= MAX_CLIPBOARD_BYTES and clipboard_works():
            self.app.copy_to_clipboard(text)
            self._host.say(f"copied {what}", "good", "by OSC 52; where the terminal refuses that, ^s saves")
        else:
            self._save([*chosen], why="too much for the clipboard: " if clipboard_works() else "no clipboard here: ")

    def action_save(self) -> None:
        """Save all shown lines."""
        self._save([self.book.shown.number(index) for index in range(self.view.count)])

    def _save(self, chosen: list[int], why: str = "") -> None:
        names = [name for name in self.sources.names.values() if name]
        stem = names[0] if len(names) == 1 else f"{len(self.sources.keys)}-containers"
        lines = (self.plain_text(self.book.store[number], time=True) for number in chosen)
        try:
            path, count = save(stem, lines, self._clock.local(self._clock.now()))
        except OSError as error:
            self._host.say(f"can't save: {error.strerror or error}", "bad")
            return
        self._host.say(f"{why}saved {counted(count, 'line')} to {path}", "good")

    def plain_text(self, item: LogItem, *, time: bool) -> str:
        """Return a line as plain text, without control sequences."""
        if not isinstance(item, LogLine):
            return "".join(piece.text for piece in self.view.draw(item))
        stamp = f"{format_time(item.time_ns)} " if time and item.time_ns else ""
        name = f"{safe_bytes(item.name.encode())} " if len(self.sources.keys) > 1 else ""
        return f"{stamp}{name}{safe_bytes(plain(item.data))}"
