"""The screen of one container, in tabs: overview, log, verdict, inspect data and more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from textual import on
from textual.containers import Container

from pyd_core.errors import NotFound, PydError
from pyd_core.model.container import Processes
from pyd_core.watch.container_info import ContainerInfo
from pyd_core.watch.delta import Delta
from pyd_tui.dashboard.input.key_bindings import keys_of
from pyd_tui.dashboard.input.keymap import Scope, bindings, lacked
from pyd_tui.dashboard.input.row_labels import NO_FILES, row_labels
from pyd_tui.dashboard.panels.document import DocumentPane
from pyd_tui.dashboard.panels.events import Events
from pyd_tui.dashboard.panels.files import FilesPane
from pyd_tui.dashboard.panels.footer import Footer
from pyd_tui.dashboard.panels.header import Header
from pyd_tui.dashboard.panels.log_panel import LogPanel
from pyd_tui.dashboard.panels.logview import LogView
from pyd_tui.dashboard.panels.processes import ProcessesPane
from pyd_tui.dashboard.panels.searched import SearchableTable
from pyd_tui.dashboard.panels.tabs import Tabs
from pyd_tui.dashboard.panels.why import WhyPane
from pyd_tui.dashboard.render.containers import state_and_health
from pyd_tui.dashboard.render.figures import SECOND, Clock
from pyd_tui.dashboard.render.pieces import EMPTY, Cell, Span, cell
from pyd_tui.dashboard.render.stats import SPANS, span_of
from pyd_tui.dashboard.resources.container_tabs import ASKS, PAGES, TABS, Subject
from pyd_tui.dashboard.screens.container_actions import ContainerActionsScreen
from pyd_tui.dashboard.widgets.line import Line
from pyd_tui.dashboard.widgets.lines import Fixed, LineList
from pyd_tui.dashboard.widgets.prompt import Prompt

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from pyd_tui.dashboard.engines.connection import EngineConnection
    from pyd_tui.dashboard.engines.target import RowTarget

LOADING_TEXTS = {"why": "collecting evidence"}


TAB_SCOPES: dict[str, tuple[Scope, ...]] = {
    "logs": ("log", "detail"),
    "files": ("files", "detail"),
    "inspect": ("document", "detail"),
    "processes": ("processes", "detail"),
    "why": ("why", "detail", "text"),
}
"""The scopes in the footer on tabs that have keys of their own."""
DATED_TABS = frozenset({"processes", "changes", "health"})
"""Tabs whose data has an age: no event reports a change of it."""
PROBE_EVENTS = frozenset({"exec_die", "health_status"})
"""Events of a health probe's end: of Docker Engine and pydd, which run it as an exec, and of Podman."""
STATIC_TAB_KEYS = ("follow", "times")
"""Keys without a meaning on tabs that don't grow."""
NO_STEPS = {"next_steps": ""}
"""Label of the key of the steps without any."""
LOG_TAB_LACKS = ("zoom(1)",)
"""Keys of the details without a meaning in the log."""


class Detail(ContainerActionsScreen):
    """Shows tabs about one container.

    Args:
        target: The container.
        tab: The tab to open first.
        clock: The clock.
        at_ns: The moment to mark in its stats, nanoseconds since the epoch; 0 is none.
    """

    BINDINGS = bindings("detail", "everywhere")

    def __init__(self, target: RowTarget, tab: str, clock: Clock, at_ns: int = 0) -> None:
        super().__init__()
        self._target = target
        self.link, self.key = target.link, target.id
        self._first = tab
        self._subject = Subject(clock)
        self._pending_action = ""
        """The pending action on it, in words."""
        if at_ns:
            self._subject.at_ns = at_ns
            self._subject.span = span_of((clock.now() - at_ns) / SECOND)

    def compose(self) -> ComposeResult:
        """Lay out the lines from top to bottom."""
        dashboard = self.dashboard
        yield Header(self.links, dashboard.clock)
        yield Line(id="subject")
        yield Tabs(TABS, self._first, id="tabs")
        with Container():
            for name in PAGES:
                if name == "why":
                    yield WhyPane(self._choose_step, empty=LOADING_TEXTS[name], id=name)
                    continue
                lines: LineList[Cell] = LineList(_same, empty=LOADING_TEXTS.get(name, "asking the engine"), id=name)
                yield lines
            yield dashboard.tail.panel(dashboard, dashboard.clock, self._update_status)
            yield Events(dashboard.clock, of_container=True, id="events")
            yield DocumentPane(dashboard.transfers.copy, self._update_status, id="inspect")
            yield ProcessesPane(self._kill, self._update_status, id="processes")
            yield FilesPane(dashboard, dashboard.transfers, self._update_status, id="files")
        yield Prompt(id="find")
        yield Footer("detail", "text")

    async def on_mount(self) -> None:
        """Open the first tab, and inspect the container."""
        self.tabs = self.query_one(Tabs)
        self.footer = self.query_one(Footer)
        self.logs = self.query_one(LogPanel)
        self.logs.on_full, self.logs.on_debug = self.action_logs, self.action_debug
        self.files = self.query_one(FilesPane)
        self.document = self.query_one(DocumentPane)
        self.processes = self.query_one(ProcessesPane)
        self._pages: dict[str, LogView | FilesPane | SearchableTable | LineList[Any]] = {
            "logs": self.logs.view,
            "events": self.query_one(Events),
            "files": self.files,
            "inspect": self.document,
            "processes": self.processes,
            **{name: self.query_one(f"#{name}", LineList) for name in PAGES},
        }
        for page in self._pages.values():
            if not isinstance(page, LogView):
                page.ask = self.ask_find
        self.bind_own()
        self.query_one(Header).update_content()
        self.query_one(Events).show(self.link.timeline.of(self.key))
        self.action_go(self._first)
        self.dashboard.tasks.start(self._inspect(), name="inspect")
        await self.dashboard.tail.follow(self._target)
        self.dashboard.measure()

    @property
    def links(self) -> Sequence[EngineConnection]:
        """The engine of the container."""
        return (self.link,)

    @property
    def target(self) -> RowTarget | None:
        """The container."""
        return self._target

    @property
    def entry(self) -> ContainerInfo | None:
        """The container's info; its last one once it was removed."""
        self._subject.entry = self.link.containers.get(self.key, self._subject.entry)
        return self._subject.entry

    @property
    def pane(self) -> LogView | FilesPane | SearchableTable | LineList[Any]:
        """The open tab."""
        return self._pages[self.tabs.current]

    # Events

    def changed(self, link: EngineConnection, delta: Delta, *, happened: bool) -> None:
        """Take changes of this container."""
        del link
        self.query_one(Header).update_content()
        if self.key in delta.changed | delta.removed:
            self._update()
            if self.key in delta.changed:
                self.dashboard.tasks.start(self._inspect(), name="inspect")
            if self.tabs.current == "processes":
                self._reload("processes")
        elif self.tabs.current == "health" and any(
            event.actor.id == self.key and event.verb in PROBE_EVENTS for event in delta.events
        ):
            self.dashboard.tasks.start(self._inspect(), name="inspect")
        if happened:
            events = self.query_one(Events)
            events.replace(self.link.timeline.of(self.key))
        self._update_status()

    def measured(self) -> None:
        """Take new figures."""
        self._update()

    def judged(self) -> None:
        """Take the verdict."""
        self._update()

    def logged(self) -> None:
        """Take new lines of the log."""
        self.dashboard.tail.update(self.logs)
        self._update_status()

    def watched(self) -> set[RowTarget]:
        """Return this container."""
        return {self._target}

    async def _inspect(self) -> None:
        engine = self.link.engine
        if engine is None:
            return
        try:
            body, container = await engine.containers.describe(self.key)
        except NotFound:
            return  # it was removed; its last state stays on screen
        except PydError as error:
            self._subject.error = error
            self.document.say((error.message, "bad"), (error.hint, "dim"))
        else:
            self._subject.body, self._subject.container = body, container
            self._subject.error = None
            self._subject.asked_ns["health"] = self.dashboard.clock.now()
        if self.is_attached:
            self._update()

    async def _ask(self, name: str) -> None:
        """Load the data that only one tab needs."""
        if (engine := self.link.engine) is None:
            return
        try:
            self._subject.answers[name] = await ASKS[name](engine, self.key)
        except PydError as error:
            self._subject.answers[name] = error
        self._subject.asked_ns[name] = self.dashboard.clock.now()
        if self.is_attached:
            self._update()

    def _update(self) -> None:
        """Update the open tab; only differences are painted."""
        subject, link = self._subject, self.link
        entry, name = self.entry, self.tabs.current
        if entry is not None and name in PAGES:
            subject.usage, subject.endpoint = link.usage.get(self.key), link.endpoint
            subject.removed = self.key not in link.containers
            subject.room, subject.height = self.size.width - 3, self.size.height
            if name == "stats":
                self._update_usage()
            subject.verdict = link.verdicts.answer(entry) or subject.verdict
            if name == "why" and self.key in link.containers:
                link.verdicts.request([entry])
            page, lines = self.query_one(f"#{name}", LineList), Fixed(PAGES[name].draw(subject))
            (page.replace if page.count else page.show)(lines)
        elif name == "inspect":
            self.document.set_body(subject.body, unmasked=subject.unmasked)
        elif name == "processes" and isinstance(answer := subject.answers.get(name), Processes | PydError):
            self.processes.set_listing(answer)
        self._update_status()

    def _update_row_keys(self) -> None:
        """Name the keys in the footer for the container's state, and for what the open tab shows."""
        labels = {**row_labels(self.entry), **({} if self._steps else NO_STEPS)}
        if self.tabs.current == "files" and self.files.key is None:
            labels |= NO_FILES
        elif self.tabs.current == "logs":
            labels |= self.logs.key_labels
        self.footer.set_row_labels(labels)

    def _update_usage(self) -> None:
        subject, link = self._subject, self.link
        subject.processors = link.processors
        series = link.series.get(self.key)
        subject.samples = series.samples() if series is not None else subject.samples
        subject.marks = link.known_marks((self.key,))

    def on_resize(self) -> None:
        """Wrap text for another width."""
        if self.is_mounted:
            self._update()

    def _update_status(self) -> None:
        entry = self.entry
        if entry is not None:
            gone = self.key not in self.link.containers
            doing = cell("removed", "bad") if gone else self._state(entry)
            name = (*cell(entry.name, "strong"), Span("  "), *doing)
            self.query_one("#subject", Line).put(name, cell(entry.image, "dim"))
        status: Cell = EMPTY
        if self.tabs.current == "logs":
            status = self.logs.status
        elif self.tabs.current == "files":
            status = self.files.status
        elif isinstance(self.pane, LineList | SearchableTable):
            status = self.pane.search_status or self._age()
        self.tabs.set_status(EMPTY, status)
        self._update_row_keys()

    def _state(self, entry: ContainerInfo) -> Cell:
        return state_and_health(entry, self._pending_action, self.link.verdicts.of(entry))

    def _age(self) -> Cell:
        """Return how old the tab's data is, and the key that refreshes it."""
        asked_ns = self._subject.asked_ns.get(self.tabs.current)
        if self.tabs.current not in DATED_TABS or asked_ns is None:
            return EMPTY
        refresh = next((key.shown for key in keys_of(self.app).of("detail") if key.name == "refresh"), "")
        return (Span(f"as of {self.dashboard.clock.local(asked_ns):%H:%M:%S}  ", "dim"), Span(refresh, "accent"))

    # Actions of keys

    def action_tab(self, step: int) -> None:
        """Open the next tab, or the previous one."""
        self.action_go(TABS[(TABS.index(self.tabs.current) + step) % len(TABS)])

    def action_go(self, name: str) -> None:
        """Open a tab."""
        for tab, page in self._pages.items():
            (self.logs if tab == "logs" else page).display = tab == name
        self.tabs.open(name)
        self.set_focus(self._pages[name])
        without = STATIC_TAB_KEYS if name in PAGES else LOG_TAB_LACKS if name == "logs" else ()
        self.footer.set_scopes(*TAB_SCOPES.get(name, ("detail", "text")), without=(f"go('{name}')", *without))
        if name == "stats":
            self.link.count_processors()
        if name in ASKS and name not in self._subject.answers:
            self._reload(name)
        if name == "events" and not self.link.timeline.complete:
            self.dashboard.tasks.start(self._remember(), name="events")
        if name == "files" and self.files.files is None:
            self.dashboard.tasks.start(self._open_files(), name="files")
        self._update()

    async def _remember(self) -> None:
        if self.link.engine is None:
            return
        await self.link.timeline.save_state(self.link.engine, self.dashboard.clock.now())
        if self.is_attached:
            events = self.query_one(Events)
            events.empty = "the engine has no events of this container"
            events.show(self.link.timeline.of(self.key))
            self._update_status()

    async def _open_files(self) -> None:
        if self.link.engine is None:
            return
        try:
            await self.files.open(self._target)
        except PydError as error:
            self.files.fail(error)

    def action_refresh(self) -> None:
        """Reload what the open tab shows."""
        if self.tabs.current == "why" and (entry := self.entry) is not None:
            self._subject.verdict = None
            self.link.verdicts.refresh(entry)
            self._update()
        self._reload(self.tabs.current)

    def _reload(self, name: str) -> None:
        if name == "files":
            self.dashboard.tasks.start(self._open_files(), name="files")
        if name == "inspect":
            self.dashboard.tasks.start(self._inspect(), name="inspect")
        if name in ASKS or name in PAGES:
            self.dashboard.tasks.start(self._ask(name) if name in ASKS else self._inspect(), name=name)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Turn off keys of actions that the container's provider lacks, and of other tabs."""
        if action == "zoom" and self.tabs.current == "logs":
            return False
        return not lacked(action, parameters, self._target.link.lacks) and super().check_action(action, parameters)

    def action_zoom(self, step: int) -> None:
        """Show a longer or a shorter time span in curves."""
        self._subject.span = min(max(0, self._subject.span + step), len(SPANS) - 1)
        self._update()

    def action_unmask(self) -> None:
        """Show or mask values that look like secrets."""
        self._subject.unmasked = not self._subject.unmasked
        self._update()

    def action_back(self) -> None:
        """End a search, remove the filters of the log, else return to the list."""
        if not (self.logs.clear() if self.tabs.current == "logs" else self.end_find()):
            self.action_quit()

    @on(Tabs.Clicked)
    def _tab_clicked(self, event: Tabs.Clicked) -> None:
        self.action_go(event.name)

    @on(LineList.Changed)
    def _page_changed(self) -> None:
        self._update_status()


def _same(line: Cell) -> Cell:
    return line
