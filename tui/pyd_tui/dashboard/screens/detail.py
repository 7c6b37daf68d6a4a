"""One container on the whole screen: what it is, its log, all the engine knows, what happened to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on
from textual.containers import Container

from pyd_core.errors import NotFound, PydError
from pyd_core.fleet.delta import Delta
from pyd_core.fleet.entry import Entry
from pyd_core.model.base import decode
from pyd_core.model.container import Container as Inspected
from pyd_tui.dashboard.keymap import bindings
from pyd_tui.dashboard.panels import logs as logs_panel
from pyd_tui.dashboard.panels.events import Events
from pyd_tui.dashboard.panels.footer import Footer
from pyd_tui.dashboard.panels.header import Header
from pyd_tui.dashboard.panels.logs import Logs
from pyd_tui.dashboard.panels.tabs import Tabs
from pyd_tui.dashboard.render.containers import state
from pyd_tui.dashboard.render.document import document
from pyd_tui.dashboard.render.overview import overview
from pyd_tui.dashboard.render.pieces import EMPTY, Cell, Piece, cell
from pyd_tui.dashboard.screens.base import LiveScreen
from pyd_tui.dashboard.screens.logs import LogScreen
from pyd_tui.dashboard.widgets.lines import Fixed, Lines
from pyd_tui.dashboard.widgets.prompt import Prompt

if TYPE_CHECKING:
    from textual.app import ComposeResult

TABS = ("overview", "logs", "inspect", "events")


class Detail(LiveScreen):
    """Four tabs about one container.

    Args:
        key: The container's id.
        tab: The tab to open first.
    """

    DEFAULT_CSS = "Detail #find { display: none; }"
    BINDINGS = bindings("detail", "everywhere")

    def __init__(self, key: str, tab: str) -> None:
        super().__init__()
        self.key = key
        self._first = tab
        self._found: Inspected | None = None
        self._last: Entry | None = None
        """What was known of it when it was last seen, for the time after its removal."""

    def compose(self) -> ComposeResult:
        """The lines from top to bottom."""
        dashboard = self.dashboard
        yield Header(dashboard.link, dashboard.clock)
        yield Tabs(TABS, self._first, id="tabs")
        with Container():
            overview_lines: Lines[Cell] = Lines(_same, id="overview")
            yield overview_lines
            yield Logs(dashboard.clock, id="logs")
            inspect_lines: Lines[Cell] = Lines(_same, empty="asking the engine", id="inspect")
            yield inspect_lines
            yield Events(dashboard.clock, id="events")
        yield Prompt(id="find")
        yield Footer("detail", "text")

    async def on_mount(self) -> None:
        """Opens the first tab and asks what inspect tells."""
        self.tabs = self.query_one(Tabs)
        self.footer = self.query_one(Footer)
        self.logs = self.query_one(Logs)
        self._find = self.query_one("#find", Prompt)
        self._pages: dict[str, Lines[Cell]] = {name: self.query_one(f"#{name}", Lines) for name in TABS}
        for page in self._pages.values():
            page.ask = self._ask_find
        self.query_one(Header).look()
        self._look()
        self.logs.show(self.dashboard.tail.lines)
        self.query_one(Events).show(self.dashboard.timeline.of(self.key))
        self.action_go(self._first)
        self.dashboard.tasks.start(self._inspect(), name="inspect")
        await self.dashboard.follow(self.key)
        self.dashboard.measure()

    @property
    def entry(self) -> Entry | None:
        """What is known of the container; its last state once it is gone."""
        self._last = self.dashboard.link.containers.get(self.key, self._last)
        return self._last

    @property
    def page(self) -> Lines[Cell]:
        """The open tab's lines."""
        return self._pages[self.tabs.current]

    # What happens

    def changed(self, delta: Delta, *, happened: bool) -> None:
        """Takes what concerns this container."""
        self.query_one(Header).look()
        if self.key in delta.changed | delta.removed:
            self._look()
            if self.key in delta.changed:
                self.dashboard.tasks.start(self._inspect(), name="inspect")
        if happened:
            events = self.query_one(Events)
            events.replace(self.dashboard.timeline.of(self.key))
        self._tell()

    def measured(self) -> None:
        """Takes new figures."""
        self._look()

    def logged(self) -> None:
        """Takes new lines of the log."""
        tail = self.dashboard.tail
        if self.logs.items is not tail.lines:
            self.logs.show(tail.lines)
        else:
            self.logs.sync()
        self.logs.empty = tail.silence
        self._tell()

    def ticked(self) -> None:
        """What isn't current says how old it is."""
        self.query_one(Header).look()

    def watched(self) -> set[str]:
        """This container is measured."""
        return {self.key}

    async def _inspect(self) -> None:
        engine = self.dashboard.link.engine
        if engine is None:
            return
        try:
            body = await engine.containers.inspect_raw(self.key)
        except NotFound:
            return  # it is gone; what was known stays on screen
        except PydError as error:
            self._pages["inspect"].empty = error.message
            self._pages["inspect"].refresh()
            return
        if not self.is_attached:
            return
        self._found = decode(body, Inspected)
        inspect = self._pages["inspect"]
        lines = Fixed(document(body))
        (inspect.replace if inspect.count else inspect.show)(lines)
        self._look()

    def _look(self) -> None:
        entry = self.entry
        if entry is not None:
            usage = self.dashboard.link.usage.get(self.key)
            self._pages["overview"].replace(Fixed(overview(entry, usage, self._found, self.dashboard.clock)))
        self._tell()

    def _tell(self) -> None:
        entry = self.entry
        subject: Cell = EMPTY
        if entry is not None:
            gone = self.key not in self.dashboard.link.containers
            subject = (
                Piece("│  ", "faint"),
                *cell(entry.name, "strong"),
                Piece("  "),
                *(cell("removed", "bad") if gone else state(entry)),
            )
        status: Cell = EMPTY
        if self.tabs.current == "logs":
            status = logs_panel.status(self.logs, self.dashboard.tail.lines.dropped)
        elif self.page.query_text:
            at, total = self.page.matches()
            status = (*cell(f"/{self.page.query_text}", "warn"), Piece(f" {at} of {total}", "dim"))
        self.tabs.tell(subject, status)

    # What keys do

    def action_tab(self, step: int) -> None:
        """Opens the next tab, or the one before."""
        self.action_go(TABS[(TABS.index(self.tabs.current) + step) % len(TABS)])

    def action_go(self, name: str) -> None:
        """Opens a tab."""
        for tab, page in self._pages.items():
            page.display = tab == name
        self.tabs.open(name)
        self.set_focus(self._pages[name])
        self._tell()

    def action_logs(self) -> None:
        """Opens its log on the whole screen."""
        self.app.push_screen(LogScreen((self.key,)))

    def action_debug(self) -> None:
        """Leaves the terminal to a debug shell."""
        self.dashboard.tasks.start(self.dashboard.enter_debug(self.key), name="debug")

    def action_shell(self) -> None:
        """Leaves the terminal to the container's own shell."""
        self.dashboard.tasks.start(self.dashboard.enter_shell(self.key), name="exec")

    def action_back(self) -> None:
        """Ends a search, else goes back to the list."""
        if self.page.query_text:
            self._find.set_text("")
            self.page.find("")
        else:
            self.action_quit()

    def action_quit(self) -> None:
        """Goes back to the list."""
        self.dismiss()

    @on(Lines.Changed)
    def _page_changed(self) -> None:
        self._tell()

    def _ask_find(self) -> None:
        self._find.display = True
        self.set_focus(self._find)

    @on(Prompt.Changed, "#find")
    def _find_typed(self, event: Prompt.Changed) -> None:
        self.page.find(event.text)

    @on(Prompt.Done, "#find")
    def _find_done(self, event: Prompt.Done) -> None:
        if not event.kept:
            self._find.set_text("")
            self.page.find("")
        self._find.display = False
        self.set_focus(self.page)


def _same(line: Cell) -> Cell:
    return line
