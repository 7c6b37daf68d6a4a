"""The log screen: logs of one container or several merged, with filters, search, copy and save."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from textual import on

from pyd_core.errors import InvalidInput
from pyd_core.logs.annotation import Annotation
from pyd_core.logs.filters import Filters, mute_all_except, parse_filter, value_filters
from pyd_core.logs.line import LogLine
from pyd_core.logs.pattern import LogPattern, plain
from pyd_core.logs.store import LogItem
from pyd_core.model.base import format_time
from pyd_core.sanitise import safe_bytes
from pyd_core.watch.delta import Delta
from pyd_tui.dashboard.actions.clipboard import MAX_CLIPBOARD_BYTES, clipboard_works, save
from pyd_tui.dashboard.engines.target import RowTarget
from pyd_tui.dashboard.input.keymap import bindings
from pyd_tui.dashboard.logs.logbook import Logbook
from pyd_tui.dashboard.logs.sources import Sources, legend
from pyd_tui.dashboard.logs.window import PAGE_LINES, TAIL, WINDOWS, Goal, Window
from pyd_tui.dashboard.panels.footer import Footer
from pyd_tui.dashboard.panels.header import Header
from pyd_tui.dashboard.panels.logview import LogView
from pyd_tui.dashboard.render.containers import state
from pyd_tui.dashboard.render.figures import counted
from pyd_tui.dashboard.render.logrow import chips, pattern_mode
from pyd_tui.dashboard.render.pieces import Cell, Span, cell
from pyd_tui.dashboard.screens.base import LiveScreen
from pyd_tui.dashboard.screens.line import LineScreen
from pyd_tui.dashboard.widgets.line import Line
from pyd_tui.dashboard.widgets.prompt import Prompt

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from pyd_tui.dashboard.engines.connection import EngineConnection
    from pyd_tui.dashboard.logs.logbook import Liveness


class LogScreen(LiveScreen):
    """Shows and follows the logs of containers.

    Args:
        targets: The containers, on one engine or on several.
        at_ns: The moment to show, nanoseconds since the epoch; 0 is the end.
    """

    DEFAULT_CSS = "LogScreen #ask { display: none; } LogScreen #chips { display: none; }"
    BINDINGS = bindings("log", "everywhere")

    def __init__(self, targets: Sequence[RowTarget], at_ns: int = 0) -> None:
        super().__init__()
        self.sources = Sources(targets)
        self.keys = self.sources.keys
        self._at_ns = at_ns
        self._asking = ""
        self._mode = LogPattern("")

    def compose(self) -> ComposeResult:
        """Lay out the lines from top to bottom."""
        dashboard = self.dashboard
        self.book = self.open_book()
        self.book.known_marks = lambda: self.sources.marks
        self.book.liveness = self.liveness
        yield Header(self.links, dashboard.clock)
        yield Line(id="title")
        yield Line(id="chips")
        yield LogView(self.book, dashboard.clock, self._update_title, id="log")
        yield Prompt(id="ask")
        yield Footer("log")

    def liveness(self) -> Liveness:
        """Return whether new lines may come."""
        return self.sources.liveness()

    def open_book(self) -> Logbook:
        """Return the logbook of their lines."""
        dashboard = self.dashboard
        return Logbook(self.sources.engines, dashboard.tail.changed, dashboard.clock.now)

    @property
    def links(self) -> Sequence[EngineConnection]:
        """The engines of the containers."""
        return self.sources.links

    async def on_mount(self) -> None:
        """Start reading."""
        self.view = self.query_one(LogView)
        self.footer = self.query_one(Footer)
        self._ask = self.query_one("#ask", Prompt)
        self._title = self.query_one("#title", Line)
        self._chips = self.query_one("#chips", Line)
        self.query_one(Header).update_content()
        self.update_names()
        self.set_focus(self.view)
        self.view.on_selected = self.action_copy
        if self._at_ns:
            await self._read(Window(label="around", around_ns=self._at_ns), goal=Goal(time_ns=self._at_ns))
        else:
            await self._read(TAIL)

    async def on_unmount(self) -> None:
        """Stop reading."""
        await self.book.aclose()

    @property
    def target(self) -> RowTarget | None:
        """The container of the line under the cursor."""
        return self.sources.get(self._source() or self.keys[0])

    # Events

    def changed(self, link: EngineConnection, delta: Delta, *, happened: bool) -> None:
        """Add events of these containers to their log."""
        del happened
        self.query_one(Header).update_content()
        for mark in self.sources.new_marks(link, delta):
            self.book.mark(mark)
        if not delta.changed.isdisjoint(self.keys) or not delta.removed.isdisjoint(self.keys):
            self.update_names()

    def logged(self) -> None:
        """Show new lines."""
        self.view.sync()
        self._update_title()

    def update_names(self) -> None:
        """Update the names of the sources."""
        shown = self.sources.refresh_names()
        if len(self.keys) > 1:
            self.view.log_style = replace(self.view.log_style, labels=shown)
        self._update_title()

    async def _read(self, window: Window, goal: Goal | None = None) -> None:
        await self.book.read(window, goal=goal)
        self.view.restart()
        self._update_title()

    def _update_title(self) -> None:
        book, filters = self.book, self.book.shown.filters
        pieces: list[Span] = [Span("Logs", "title"), Span("   "), *self.subject(), Span("   ")]
        # Of several logs, one may reach back further than another, so the title says where they start.
        per_container = len(self.keys) > 1 and book.window is TAIL
        pieces += cell(f"last {PAGE_LINES:,} each" if per_container else book.window.label, "accent")
        if around_ns := book.window.around_ns:
            pieces += cell(f" {self.dashboard.clock.local(around_ns):%H:%M:%S}", "accent")
        if book.full:
            pieces += cell("  no room for older lines", "warn")
        self._title.put(tuple(pieces), self.view.status)
        sources = legend(self.view.log_style.labels, self.sources.names, filters.muted)
        if sources or filters:
            self._chips.put((*sources, *chips(filters)))
        self._chips.display = bool(sources or filters) and self._title.display

    def subject(self) -> Cell:
        """Return the title."""
        only, *others = self.keys
        if others:
            return cell(f"{len(self.keys)} containers", "strong")
        entry = self.sources.entry(only)
        state_cell = state(entry) if entry is not None else cell("removed", "bad")
        return (*cell(self.sources.names[only], "strong"), Span("  "), *state_cell)

    # Search and filters

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Treat keys as text while the user types, except for the key for the mode."""
        return action == "mode" or super().check_action(action, parameters)

    def action_find(self) -> None:
        """Ask for a search text."""
        self._open_prompt("/", self.book.search.pattern.text if self.book.search is not None else "")

    def action_narrow(self) -> None:
        """Ask for a filter."""
        self._open_prompt("&", "")

    def action_narrow_value(self) -> None:
        """Ask for a filter by a value of the line under the cursor."""
        item = self._item()
        choices = value_filters(item) if isinstance(item, LogLine) else ()
        if not choices:
            self.footer.say("this line has no fields", "warn", "& filters by text")
            return
        self._open_prompt("&", choices[0])
        self._ask.complete = lambda text: choices[(choices.index(text) + 1) % len(choices)] if text in choices else text

    def _open_prompt(self, sign: str, text: str) -> None:
        self._asking = self._ask.sign = sign
        self._ask.set_text(text)
        self._ask.complete = None
        self._show_note()
        self._ask.display = True
        self.set_focus(self._ask)

    def _show_note(self, problem: str = "") -> None:
        note: Cell = cell(problem, "bad")
        if not problem and self._asking == "&":
            try:
                log_filter = parse_filter(self._ask.text, self._mode) if self._ask.text.strip("!") else None
            except InvalidInput as error:
                note, log_filter = cell(error.message, "bad"), None
            if log_filter is not None:
                verb = "hides" if log_filter.exclude else "keeps"
                note = cell(f"{verb} lines by their {'fields' if log_filter.tests else 'text'}", "dim")
        self._ask.set_notes(note, cell(f"{pattern_mode(self._mode)}  ^g", "dim"))

    def action_mode(self) -> None:
        """Switch to the next kind of pattern."""
        self._mode = self._mode.next_mode()
        if isinstance(self.focused, Prompt):
            self._typed()
        elif self.book.search is not None:
            self._find(self.book.search.pattern.text)

    @on(Prompt.Changed, "#ask")
    def _typed(self) -> None:
        if self._asking == "/":
            self._find(self._ask.text)
        else:
            self._show_note()

    @on(Prompt.Done, "#ask")
    def _done(self, event: Prompt.Done) -> None:
        self._ask.display = False
        self.set_focus(self.view)
        if self._asking == "/":
            if event.kept:
                self.view.jump()
                self.view.seek_older()
            else:
                self._find("")
        elif self._asking == "&" and event.kept and self._ask.text.strip("!"):
            try:
                log_filter = parse_filter(self._ask.text, self._mode)
            except InvalidInput as error:
                self.footer.say(error.message, "bad", error.hint)
                return
            filters = self.book.shown.filters
            self._narrow(replace(filters, stack=(*filters.stack, log_filter)))

    def _find(self, text: str) -> None:
        try:
            self.view.seek(replace(self._mode, text=text))
        except InvalidInput as error:
            self._show_note(error.message)
            return
        self._show_note()

    def action_find_next(self, step: int) -> None:
        """Go to the next match, or the previous one."""
        self.view.find_next(step)

    def _narrow(self, filters: Filters) -> None:
        self.book.narrow(filters)
        self.view.sync()
        self.view.redraw()
        self._update_title()

    def action_remove_filter(self) -> None:
        """Remove the last filter."""
        filters = self.book.shown.filters
        self._narrow(replace(filters, stack=filters.stack[:-1]))

    def action_context(self, step: int) -> None:
        """Show more or less context."""
        filters = self.book.shown.filters
        lines = max(0, filters.before + step)
        self._narrow(replace(filters, before=lines, after=lines))

    def action_solo(self) -> None:
        """Show only one container, or all again."""
        filters, key = self.book.shown.filters, self._source()
        if key is not None and len(self.keys) > 1:
            self._narrow(replace(filters, muted=frozenset() if filters.muted else mute_all_except(self.keys, key)))

    def action_mute(self) -> None:
        """Hide one container; the last one stays."""
        filters, key = self.book.shown.filters, self._source()
        if key is not None and len(filters.muted) + 1 < len(self.keys):
            self._narrow(replace(filters, muted=filters.muted | {key}))

    def _source(self) -> str | None:
        """The container of the line under the cursor."""
        item = self._item()
        return item.container_id if isinstance(item, LogLine | Annotation) else None

    def _item(self) -> LogItem | None:
        cursor = self.view.cursor
        return None if cursor is None else self.book.store[cursor]

    # Display

    def action_follow(self) -> None:
        """Follow new lines, or stop."""
        self.view.follow()
        self._update_title()

    def action_times(self) -> None:
        """Show or hide the times."""
        self.view.show_times()

    def action_columns(self) -> None:
        """Show fields in columns, or raw lines."""
        self.view.log_style = replace(self.view.log_style, columns=not self.view.log_style.columns)
        self.view.redraw()

    def action_wrap(self) -> None:
        """Wrap long lines, or cut them."""
        self.view.set_wrap(wrap=not self.view.wrap)

    def action_left(self) -> None:
        """Scroll left in long lines."""
        self.view.slide(-1)

    def action_right(self) -> None:
        """Scroll right in long lines."""
        self.view.slide(1)

    def action_full(self) -> None:
        """Show only the log, or the bars too."""
        show = not self._title.display
        self._title.display = self.footer.display = self.query_one(Header).display = show
        self._update_title()

    def action_whole(self) -> None:
        """Open the line under the cursor."""
        if (item := self._item()) is not None:
            self.app.push_screen(LineScreen(item))

    async def action_window(self, key: str) -> None:
        """Read another part of the log."""
        await self._read(WINDOWS[key])

    async def action_previous(self) -> None:
        """Read the lines before the last start, or return to the end."""
        if self.book.window.before_ns:
            await self._read(WINDOWS["0"])
            return
        entry = self.sources.entry(self.keys[0])
        if len(self.keys) > 1 or entry is None or not entry.started_ns:
            self.footer.say("select a single container that was started", "warn")
            return
        await self._read(Window(label="before its last start", before_ns=entry.started_ns))

    # Copy and save

    def action_visual(self) -> None:
        """Start or end a selection."""
        cursor = self.view.cursor
        self.view.selection_start = cursor if self.view.selection_start is None else None
        if cursor is not None:
            self.view.go(cursor)

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
        text = "\n".join(self._plain_text(self.book.store[number], time=False) for number in chosen)
        self.view.selection_start = None
        self.view.redraw()
        what = "the line" if len(chosen) == 1 else counted(len(chosen), "line")
        if len(text.encode()) <= MAX_CLIPBOARD_BYTES and clipboard_works():
            self.app.copy_to_clipboard(text)
            self.footer.say(f"copied {what}", "good", "by OSC 52; where the terminal refuses that, ^s saves")
        else:
            self._save([*chosen], why="too much for the clipboard: " if clipboard_works() else "no clipboard here: ")

    def action_save(self) -> None:
        """Save all shown lines."""
        self._save([self.book.shown.number(index) for index in range(self.view.count)])

    def _save(self, chosen: list[int], why: str = "") -> None:
        stem = self.sources.names[self.keys[0]] if len(self.keys) == 1 else f"{len(self.keys)}-containers"
        lines = (self._plain_text(self.book.store[number], time=True) for number in chosen)
        clock = self.dashboard.clock
        try:
            path, count = save(stem, lines, clock.local(clock.now()))
        except OSError as error:
            self.footer.say(f"can't save: {error.strerror or error}", "bad")
            return
        self.footer.say(f"{why}saved {counted(count, 'line')} to {path}", "good")

    def _plain_text(self, item: LogItem, *, time: bool) -> str:
        """Return a line as plain text, without control sequences."""
        if not isinstance(item, LogLine):
            return "".join(piece.text for piece in self.view.draw(item))
        stamp = f"{format_time(item.time_ns)} " if time and item.time_ns else ""
        name = f"{safe_bytes(item.name.encode())} " if len(self.keys) > 1 else ""
        return f"{stamp}{name}{safe_bytes(plain(item.data))}"

    # Back

    def action_back(self) -> None:
        """Clear a selection, a search, then the filters; then go back."""
        if not self._title.display:
            self.action_full()
        elif self.view.selection_start is not None:
            self.action_visual()
        elif self.book.search is not None:
            self._ask.set_text("")
            self._find("")
        elif self.book.shown.filters:
            self._narrow(Filters())
        else:
            self.action_quit()
