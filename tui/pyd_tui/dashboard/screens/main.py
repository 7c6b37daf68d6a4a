"""The first screen: the containers, and below them the log of the selected one, or the engine's events."""

from __future__ import annotations

from collections.abc import Sequence
from heapq import nsmallest
from typing import TYPE_CHECKING, Any

from textual import on
from textual.containers import Container
from textual.events import DescendantFocus

from pyd_core.watch.delta import Delta
from pyd_tui.dashboard.engines.connection import EngineConnection
from pyd_tui.dashboard.engines.target import RowTarget
from pyd_tui.dashboard.input.keymap import Scope, bindings
from pyd_tui.dashboard.input.row_labels import empty_list_labels, row_labels
from pyd_tui.dashboard.panels.containers import ContainerTable
from pyd_tui.dashboard.panels.events import Events
from pyd_tui.dashboard.panels.footer import Footer
from pyd_tui.dashboard.panels.header import Header
from pyd_tui.dashboard.panels.log_panel import LogPanel
from pyd_tui.dashboard.panels.logview import LogView
from pyd_tui.dashboard.panels.notice import Notice
from pyd_tui.dashboard.panels.problems import MAX_SHOWN, ProblemStrip
from pyd_tui.dashboard.panels.tabs import Tabs
from pyd_tui.dashboard.panels.views import Views
from pyd_tui.dashboard.render.figures import counted
from pyd_tui.dashboard.render.pieces import EMPTY, cell
from pyd_tui.dashboard.resources.container_filters import OF_MERGED, SORTS, View, severity
from pyd_tui.dashboard.screens.narrowed_list import NarrowedListScreen, describe_filters
from pyd_tui.dashboard.widgets.lines import LineList
from pyd_tui.dashboard.widgets.prompt import Prompt
from pyd_tui.dashboard.widgets.table import Table

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from pyd_tui.config.settings import Layout

DEBOUNCE_S = 0.15
"""The time that the cursor rests on a container before its log is requested: a held key must not request fifty."""

MIN_SIDE_BY_SIDE_COLUMNS = 180
"""The width of the terminal from which on the pane is next to the list."""

PANE_ACTIONS = frozenset({"filter", "columns", "open", "mark", "mark_range", "mark_all"})
"""Actions on the list whose keys the pane has while it has the focus."""
PANE_SCOPES: dict[str, tuple[Scope, ...]] = {"logs": ("log", "move"), "events": ("text", "move")}

ORDER = ("live", "connecting", "lost")
"""The states of a connection, the most informative first."""


class Main(NarrowedListScreen):
    """Shows the containers, and a pane below."""

    DEFAULT_CSS = """
    Main #body { height: 1fr; }
    Main #list { height: 1fr; align: center middle; }
    Main #lower { height: auto; }
    Main #pane { height: 36vh; min-height: 4; }
    Main #body.right { layout: horizontal; }
    Main #body.right #list { width: 1fr; height: 100%; }
    Main #body.right #lower { width: 44%; height: 100%; }
    Main #body.right #pane { height: 1fr; }
    Main #narrowing { display: none; }
    Main #notice { display: none; }
    """
    BINDINGS = bindings("containers", "views", "everywhere")
    AUTO_FOCUS = "#containers"

    def __init__(self) -> None:
        super().__init__()
        self._layout_choice: Layout | None = None
        """Where the pane is; None until the user chooses, and the settings say it."""
        self._pointed: EngineConnection | None = None
        """The engine of the row under the cursor that is shown so far; None at first."""

    def compose(self) -> ComposeResult:
        """Lay out the lines from top to bottom."""
        dashboard = self.dashboard
        yield Header(self.links, dashboard.clock)
        yield Views("containers")
        yield ProblemStrip()
        yield Prompt(id="narrowing")
        with Container(id="body", classes="right" if self._is_side_by_side else ""):
            with Container(id="list"):
                yield ContainerTable(self.links, dashboard.clock)
                yield Notice()
            with Container(id="lower"):
                yield Tabs(("logs", "events"), "logs", id="tabs")
                with Container(id="pane"):
                    yield dashboard.tail.panel(dashboard, dashboard.clock, self._update_pane_title)
                    yield Events(dashboard.clock, id="events")
        yield Prompt(id="find")
        yield Prompt(id="command", sign=":")
        yield Footer("containers", "views")

    def on_mount(self) -> None:
        """Show the containers, of which there are none at the start."""
        self.table = self.query_one(ContainerTable)
        self.notice = self.query_one(Notice)
        self.logs = self.query_one(LogPanel)
        self.logs.on_full, self.logs.on_debug = self.action_logs, self.action_debug
        self.events = self.query_one(Events)
        self.tabs = self.query_one(Tabs)
        self.footer = self.query_one(Footer)
        self._strip = self.query_one(ProblemStrip)
        self._filter = self.query_one("#narrowing", Prompt)
        self._debounce = self.set_interval(DEBOUNCE_S, self._follow_log, pause=True)
        self.events.display = False
        self.events.ask = self.ask_find
        self.bind_own()
        self._show_columns(self.dashboard.column_choice.of("containers"))
        startup = self.dashboard.startup
        last = startup.remembered
        self._filter.set_text(startup.filter)
        view = View(
            text=startup.filter,
            running_only=last.running_only,
            broken_only=last.broken_only,
            sort=last.sort if last.sort in (*SORTS, *OF_MERGED) else SORTS[0],
        )
        self._narrow(view.with_merged(merged=self.dashboard.merged))

    @property
    def pane(self) -> LogView | LineList[Any]:
        """The open pane."""
        return self.logs.view if self.tabs.current == "logs" else self.events

    @property
    def links(self) -> Sequence[EngineConnection]:
        """The engines whose containers are listed."""
        return self.dashboard.in_sight

    # Events

    def changed(self, link: EngineConnection, delta: Delta, *, happened: bool) -> None:
        """Update the list."""
        self.table.apply(delta)
        self._update()
        if happened and link is self._pointed:
            self.events.sync()
        self._update_pane_title()

    def switch_engines(self) -> None:
        """Show other engines from now on; filters and sorting stay."""
        self.query_one(Header).links = self.table.links = self.links
        self.table.marked.clear()
        self.table.was_seen = False
        self.query_one(Views).refresh_views()
        self._narrow(self.table.view.with_merged(merged=self.dashboard.merged))
        self._update_pane_title()
        self._debounce.resume()

    def judged(self) -> None:
        """Update the list: a container found healthy leaves the list of those with problems."""
        self.table.update_rows()
        self._update()

    def measured(self) -> None:
        """Update the figures in the list."""
        self.table.on_measured()
        self.query_one(Header).update_content()  # rows show an event a moment before it is reported to screens
        if self.ranks_usage:
            self._update_notes()

    def logged(self) -> None:
        """Show new lines in the pane."""
        self.dashboard.tail.update(self.logs)
        self._update_pane_title()

    def ticked(self) -> None:
        """Show the age of the data, for each engine where there are several."""
        super().ticked()
        self.table.sync()

    def watched(self) -> set[RowTarget]:
        """Return the running containers on screen."""
        return self.table.worth_measuring()

    @property
    def ranks_usage(self) -> bool:
        """Whether the list is ordered by resource usage."""
        return self.table.view.ranks_usage

    @on(Table.Moved)
    def _moved(self) -> None:
        self._debounce.reset()
        self._debounce.resume()
        self._show_pointed_engine()
        self._update_pane_title()
        self._update_row_keys()

    @on(DescendantFocus)
    def _focus_moved(self) -> None:
        """Show the keys of the part that has the focus; those of the list stay while the user types a filter."""
        if isinstance(self.focused, Prompt):
            return
        scopes: tuple[Scope, ...] = ("containers", "views")
        self.footer.set_scopes(*(PANE_SCOPES[self.tabs.current] if self.focused is self.pane else scopes))
        self._update_row_keys()

    @on(Table.Marked)
    def _marked(self) -> None:
        self._update_row_keys()

    @on(Table.Opened)
    def _row_opened(self) -> None:
        self.action_open()

    @on(Table.MenuRequested)
    def _menu_requested(self) -> None:
        self.action_menu()

    @on(Tabs.Clicked)
    def _tab_clicked(self) -> None:
        self.action_pane()

    @on(ProblemStrip.Clicked)
    def _problem_clicked(self, event: ProblemStrip.Clicked) -> None:
        if event.index is None:
            self.action_toggle_broken()
        else:
            self.action_problem(event.index)

    @on(Table.Viewed)
    def _viewed(self) -> None:
        self.dashboard.measure()

    @on(LineList.Changed)
    def _pane_changed(self) -> None:
        self._update_pane_title()

    async def _follow_log(self) -> None:
        self._debounce.pause()
        if self.tabs.current == "logs":
            key = self.table.key
            await self.dashboard.tail.follow(None if key is not None and key.is_heading else key)

    def _update(self) -> None:
        """Show the list or a notice, and which filters hide containers."""
        view = self.table.view
        self._show_pointed_engine()
        self.query_one(Header).update_content()
        empty, total = not self.table.keys, sum(len(link.containers) for link in self.links)
        if empty:
            # The state of a reachable engine counts if another can't be reached.
            best = min((link.connection for link in self.links), key=lambda connection: ORDER.index(connection.state))
            self.notice.show(best, total=total, filtered=describe_filters(view))
        elif self._waited:
            self._waited = False
            self.footer.clear()
        if self.notice.display != empty:
            self.notice.display = empty
            self.table.display = not empty
            if not empty and self.focused is None:
                self.set_focus(self.table)
        self._update_strip()
        self._update_row_keys()
        self._update_notes()
        self.dashboard.measure()

    def _update_strip(self) -> None:
        """Show the worst containers, unless the list shows only broken ones anyway."""
        if self.table.view.broken_only:
            self._strip.show(0, ())
            return
        broken = [
            (severity(entry), RowTarget(link, entry.id), entry)
            for link in self.links
            if link.broken
            for entry in link.containers.values()
            if link.is_broken(entry)
        ]
        worst = nsmallest(MAX_SHOWN, broken, key=lambda item: (*item[0], item[1].id))
        for link in self.links:
            entries = [entry for _, target, entry in worst if target.link is link]
            if entries and link.connection.state == "live":  # the worst of a part of the list needn't be the worst
                link.verdicts.request(entries)
        self._strip.show(
            len(broken), [(target, entry, target.link.verdicts.answer(entry)) for _, target, entry in worst]
        )

    def _update_row_keys(self) -> None:
        """Name the keys in the footer for the container under the cursor, and count the marks."""
        target = self.target
        labels = row_labels(target.entry if target is not None else None)
        if self.focused is self.logs.view:
            labels = self.logs.key_labels
        elif not self.table.keys:
            labels = empty_list_labels(demo=self._is_empty and self.dashboard.link.family == "engine")
        self.footer.set_row_labels(labels)
        self.query_one(Views).set_marked(len(self.table.marked))

    def _update_pane_title(self) -> None:
        if self.tabs.current == "logs":
            shown = self.dashboard.tail.shown  # the cursor may have moved on already
            entry = shown.entry if shown is not None else None
            name = f"{shown.link.label}/{entry.name}" if shown and entry and self.dashboard.merged else ""
            name = name or (entry.name if entry else "")
            self.tabs.set_status(cell(name, "strong"), self.logs.status if entry else EMPTY)
            self._update_row_keys()
        else:
            whose = cell(self.row_link.label, "strong") if self.dashboard.merged else EMPTY
            count = self.events.count
            self.tabs.set_status(whose, cell(counted(count, "event"), "dim"))

    def _show_pointed_engine(self) -> None:
        """Show the events and the state of the engine of the row under the cursor."""
        if (link := self.row_link) is not self._pointed:
            self._pointed = link
            self.events.show(link.timeline.items)
            header = self.query_one(Header)
            header.focused_link = link
            header.update_content()

    # Actions of keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Turn off keys that don't apply: `/` finds in the pane, and only an empty engine takes a demo."""
        if action in PANE_ACTIONS and self.focused is self.pane:
            return False
        if action == "demo" and not self._is_empty:
            return False
        return super().check_action(action, parameters)

    def home(self) -> None:
        """Focus the list."""
        self.set_focus(self.table)

    @property
    def _is_empty(self) -> bool:
        """Whether an engine answers and none has a container."""
        live = any(link.connection.state == "live" for link in self.links)
        return live and not any(link.containers for link in self.links)

    def action_demo(self) -> None:
        """Start the playground of `pyd demo`."""
        from pyd_tui.dashboard.actions.demo import start_demo  # noqa: PLC0415 - only for an empty engine

        start_demo(self.dashboard, self.row_link)

    def action_problem(self, index: int) -> None:
        """Open the verdict on one of the worst containers."""
        from pyd_tui.dashboard.screens.detail import Detail  # noqa: PLC0415 - on first use

        if index < len(self._strip.worst):
            target = self._strip.worst[index][0]
            self.table.go_to(target)
            self.app.push_screen(Detail(target, "why", self.dashboard.clock))

    def action_layout(self) -> None:
        """Put the pane next to the list, or below it."""
        self._layout_choice = "below" if self._is_side_by_side else "right"
        self._lay_out()

    @property
    def _is_side_by_side(self) -> bool:
        choice = self._layout_choice or self.dashboard.startup.settings.layout
        if choice == "auto":
            return self.app.size.width >= MIN_SIDE_BY_SIDE_COLUMNS
        return choice == "right"

    def _lay_out(self) -> None:
        self.query_one("#body").set_class(self._is_side_by_side, "right")

    def on_resize(self) -> None:
        """Choose the layout for another width."""
        if self.is_mounted:
            self._lay_out()

    def action_pane(self) -> None:
        """Show the other pane."""
        name = "events" if self.tabs.current == "logs" else "logs"
        self.logs.display, self.events.display = name == "logs", name == "events"
        self.tabs.open(name)
        self._debounce.resume()
        self._update_pane_title()

    def action_switch_focus(self) -> None:
        """Switch the focus between the list and the pane."""
        self.set_focus(self.table if self.focused is self.pane else self.pane)

    def action_back(self) -> None:
        """Clear a search, a focus, marks, then the filters."""
        if self.focused is self.pane:
            if not (self.logs.clear() if self.tabs.current == "logs" else self.end_find()):
                self.set_focus(self.table)
        elif self.table.marked:
            self.table.clear_marks()
        else:
            self._filter.set_text("")
            view = self.table.view
            self._narrow(View(sort=view.sort, scale=view.scale, merged=view.merged, reverse=view.reverse))

    def action_quit(self) -> None:
        """Quit."""
        self.dashboard.request_quit()
