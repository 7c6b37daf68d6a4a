"""The log screen: logs of one container or several merged, with filters, search, copy and save."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pyd_core.watch.delta import Delta
from pyd_tui.dashboard.engines.target import RowTarget
from pyd_tui.dashboard.input.keymap import bindings
from pyd_tui.dashboard.logs.logbook import Logbook
from pyd_tui.dashboard.logs.sources import Sources
from pyd_tui.dashboard.logs.window import PAGE_LINES, TAIL, Goal, Window
from pyd_tui.dashboard.panels.footer import Footer
from pyd_tui.dashboard.panels.header import Header
from pyd_tui.dashboard.panels.log_panel import LogPanel
from pyd_tui.dashboard.render.containers import state_and_health
from pyd_tui.dashboard.render.pieces import Cell, Span, cell
from pyd_tui.dashboard.screens.base import LiveScreen
from pyd_tui.dashboard.widgets.line import Line

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from pyd_tui.dashboard.engines.connection import EngineConnection
    from pyd_tui.dashboard.logs.logbook import Liveness
    from pyd_tui.dashboard.panels.logview import LogView


class LogScreen(LiveScreen):
    """Shows and follows the logs of containers.

    Args:
        targets: The containers, on one engine or on several.
        at_ns: The moment to show, nanoseconds since the epoch; 0 is the end.
    """

    BINDINGS = bindings("everywhere")

    def __init__(self, targets: Sequence[RowTarget], at_ns: int = 0) -> None:
        super().__init__()
        self.sources = Sources(targets)
        self.keys = self.sources.keys
        self._at_ns = at_ns

    def compose(self) -> ComposeResult:
        """Lay out the lines from top to bottom."""
        dashboard = self.dashboard
        self.book = self.open_book()
        self.book.known_marks = lambda: self.sources.marks
        self.book.liveness = self.liveness
        yield Header(self.links, dashboard.clock)
        yield Line(id="title")
        yield LogPanel(self.book, self.sources, dashboard.clock, dashboard, self._update_title, id="log")
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
        self.panel = self.query_one(LogPanel)
        self.panel.on_full, self.panel.on_debug = self._toggle_bars, self.action_debug
        self.footer = self.query_one(Footer)
        self._title = self.query_one("#title", Line)
        self.query_one(Header).update_content()
        self.update_names()
        self.set_focus(self.view)
        if self._at_ns:
            window, goal = Window(label="around", around_ns=self._at_ns), Goal(time_ns=self._at_ns)
            await self.panel.read(window, goal)
        else:
            await self.panel.read(TAIL)

    async def on_unmount(self) -> None:
        """Stop reading."""
        await self.book.aclose()

    @property
    def view(self) -> LogView:
        """The lines."""
        return self.panel.view

    @property
    def target(self) -> RowTarget | None:
        """The container of the line under the cursor."""
        return self.sources.get(self.panel.source or self.keys[0])

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
        self.panel.show_chips(shown if len(self.keys) > 1 else None)
        self._update_title()

    def _update_title(self) -> None:
        if not self.is_attached:
            return
        book = self.book
        pieces: list[Span] = [Span("Logs", "title"), Span("   "), *self.subject(), Span("   ")]
        # Of several logs, one may reach back further than another, so the title says where they start.
        per_container = len(self.keys) > 1 and book.window is TAIL
        pieces += cell(f"last {PAGE_LINES:,} each" if per_container else book.window.label, "accent")
        if around_ns := book.window.around_ns:
            pieces += cell(f" {self.dashboard.clock.local(around_ns):%H:%M:%S}", "accent")
        if book.full:
            pieces += cell("  no room for older lines", "warn")
        self._title.put(tuple(pieces), self.view.status)
        self.footer.set_row_labels(self.panel.key_labels)
        self.panel.show_chips()

    def subject(self) -> Cell:
        """Return the title."""
        only, *others = self.keys
        if others:
            return cell(f"{len(self.keys)} containers", "strong")
        entry = self.sources.entry(only)
        state_cell = state_and_health(entry) if entry is not None else cell("removed", "bad")
        return (*cell(self.sources.names[only], "strong"), Span("  "), *state_cell)

    def _toggle_bars(self) -> None:
        """Show only the log, or the bars too."""
        show = not self._title.display
        self._title.display = self.footer.display = self.query_one(Header).display = show
        self.panel.hides_chips = not show
        self._update_title()

    # Back

    def action_back(self) -> None:
        """Show the bars, clear a selection, a search, then the filters; then go back."""
        if not self._title.display:
            self._toggle_bars()
        elif not self.panel.clear():
            self.action_quit()
