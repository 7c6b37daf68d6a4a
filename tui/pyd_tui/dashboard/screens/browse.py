"""The screen of every view but the containers: a table of one resource, and details of the selected row below."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual import on
from textual.containers import Container
from textual.events import DescendantBlur, DescendantFocus

from pyd_core.errors import PydError
from pyd_core.watch.delta import Delta
from pyd_tui.dashboard.actions.removal import BulkRemoval
from pyd_tui.dashboard.actions.row_commands import RowCommands
from pyd_tui.dashboard.engines.detail_loader import DetailLoader
from pyd_tui.dashboard.engines.row_loader import RowLoader
from pyd_tui.dashboard.engines.target import RowTarget
from pyd_tui.dashboard.input.keymap import bindings
from pyd_tui.dashboard.panels.footer import Footer
from pyd_tui.dashboard.panels.header import Header
from pyd_tui.dashboard.panels.views import Views
from pyd_tui.dashboard.render.narrowing import shown_count
from pyd_tui.dashboard.render.pieces import EMPTY, Cell, Span, cell
from pyd_tui.dashboard.resources.abilities import missing_actions
from pyd_tui.dashboard.resources.base import LoadContext, ResourceView, Row, singular
from pyd_tui.dashboard.resources.row_order import RowOrder
from pyd_tui.dashboard.screens.detail import Detail
from pyd_tui.dashboard.screens.logs import LogScreen
from pyd_tui.dashboard.screens.row_actions import RowActionsScreen
from pyd_tui.dashboard.widgets.line import Line
from pyd_tui.dashboard.widgets.lines import LineList
from pyd_tui.dashboard.widgets.prompt import Prompt
from pyd_tui.dashboard.widgets.table import Table

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from pyd_tui.dashboard.engines.connection import EngineConnection

REFRESH_DEBOUNCE_S = 0.3
"""The time in which events are gathered before the rows are reloaded."""
PANE_LACKS = frozenset({"follow", "times"})
"""Keys without a meaning in details, which don't grow."""


class Browse(RowActionsScreen):
    """Shows one resource. It asks the engine when opened, when an event says that something changed, and on `^r`.

    Args:
        resource: The resource view.
        context: The data that its loader uses.
    """

    DEFAULT_CSS = """
    Browse #list { height: 1fr; }
    Browse #about { height: 45%; min-height: 4; }
    Browse #narrowing { display: none; }
    """
    BINDINGS = bindings("browse", "views", "everywhere")
    AUTO_FOCUS = "#rows"

    def __init__(self, resource: ResourceView, context: LoadContext) -> None:
        super().__init__()
        self.resource = resource
        self.view = resource.name
        self._load_context = context
        self._text = ""
        self._order = RowOrder()
        self._status: Cell = EMPTY
        self._failure: Cell = EMPTY
        """The footer's message of the last load that failed."""
        self._lacks = missing_actions(resource)
        """Actions that this resource doesn't have."""

    def compose(self) -> ComposeResult:
        """Lay out the lines from top to bottom."""
        dashboard = self.dashboard
        yield Header(self.links, dashboard.clock)
        yield Views(self.resource.name)
        yield Prompt(id="narrowing")
        with Container(id="list"):
            yield Table[str](self.resource.columns, self._cells, id="rows")
        yield Line(id="subject")
        about: LineList[Cell] = LineList(lambda line: line, id="about")
        yield about
        yield Prompt(id="find")
        yield Prompt(id="command", sign=":")
        yield Footer("browse", "views", without=self._lacks)

    def on_mount(self) -> None:
        """Load the rows."""
        self.table: Table[str] = self.query_one(Table)
        self.about = self.query_one("#about", LineList)
        self.footer = self.query_one(Footer)
        self._filter = self.query_one("#narrowing", Prompt)
        self.about.ask = self.ask_find
        self.bind_own()
        self.query_one(Header).update_content()
        self._details = DetailLoader(
            self.resource, self._load_context, self.about, self.dashboard.tasks, row=lambda: self._row
        )
        self._details.on_end = self._refresh
        self._debounce = self.set_interval(REFRESH_DEBOUNCE_S, self._refresh, pause=True)
        self._loader = RowLoader(self.resource, self._load_context, self, self.dashboard.tasks)
        self._removal = BulkRemoval(self.dashboard, self._load_context, self._removed)
        self._commands = RowCommands(self.dashboard, self._load_context, self.resource, self._removal, self._refresh)
        self.table.choose_columns(self.dashboard.column_choice.of(self.resource.name))
        self.table.say(("loading", "dim"))
        self._loader.load(measure=self.resource.measures_on_open and self._load_context.disk is None)

    def on_resize(self) -> None:
        """Wrap the details for another width."""
        if self.is_mounted:
            self._details.fit()

    @property
    def pane(self) -> LineList[Any]:
        """The details of the row under the cursor."""
        return self.about

    # Events

    def changed(self, link: EngineConnection, delta: Delta, *, happened: bool) -> None:
        """Reload the rows when an event says that they may differ."""
        del happened
        self.query_one(Header).update_content()
        live = link.connection.state == "live"
        self.table.set_stale(stale=not live)
        self.about.set_stale(stale=not live)
        if delta.gap is not None or (live and not self._rows) or any(map(self.resource.refreshed_by, delta.events)):
            self._debounce.resume()

    def _refresh(self) -> None:
        self._debounce.pause()
        self._loader.load()
        if self.resource.delay_s:
            self.set_timer(self.resource.delay_s, self._loader.load)

    def loaded(self) -> None:
        """Show the rows."""
        at_top = self.table.index == 0
        self._show()
        if at_top and self.resource.name == "events" and self.table.keys:
            self.table.go_to(self.table.keys[0])
        self._show_status("")
        self.footer.unsay(self._failure)
        self._details.refresh()

    def not_loaded(self, error: PydError) -> None:
        """Show why the rows couldn't be loaded."""
        self._failure = self.footer.say(error.message, "bad", error.hint)
        self._show_status("")
        self.table.say((error.message, "bad"), (error.hint, "dim"))  # the footer's message disappears with a key

    def measuring(self) -> None:
        """Show that sizes are being measured."""
        self._show_status("measuring")

    def _show(self) -> None:
        rows = self._rows
        matching = [row for row in rows.values() if row.matches(self._text)]
        shown = self._order.apply(matching, self.resource.columns)
        self.table.set_sorted_by(self._order.column, reverse=self._order.reverse)
        self.table.say((f"none of {len(rows)} matches" if rows else self.resource.empty, "dim"))
        self.table.set_rows([row.key for row in shown], self.resource.natural(shown))
        self._filter.set_notes(EMPTY, shown_count(len(shown), len(rows)))
        self._filter.display = bool(self._text) or self.focused is self._filter
        self._update_status()

    def _show_status(self, text: str) -> None:
        self._status = cell(text, "dim")
        self._update_status()

    def _update_status(self) -> None:
        row = self._row
        left = cell(row.name, "title" if self.focused is self.about else "strong") if row is not None else EMPTY
        if self.focused is self.about:
            left = (Span("▌ ", "accent"), *left)
        right = self.about.search_status or self._status
        name = self.resource.name if self.table.count != 1 else singular(self.resource.name)
        counted = self.table.count and self.resource.name != "system"
        count = cell(f"{self.table.count:,} {name}" if counted else "", "dim")
        self.query_one("#subject", Line).put(left, right or count)

    @property
    def _rows(self) -> dict[str, Row]:
        return self._loader.rows

    @property
    def _row(self) -> Row | None:
        return self._rows.get(self.table.key or "")

    @property
    def _selected(self) -> list[Row]:
        """The marked rows, else the one under the cursor."""
        marked = [row for key, row in self._rows.items() if key in self.table.marked]
        return marked or ([self._row] if self._row is not None else [])

    def _cells(self, key: str) -> tuple[Cell, ...]:
        row = self._rows.get(key)
        return row.cells if row is not None else (EMPTY,) * len(self.resource.columns)

    @on(Table.Moved)
    def _moved(self) -> None:
        self._details.moved()
        self._update_status()

    @on(Table.Opened)
    def _row_opened(self) -> None:
        self.action_open()

    @on(Table.MenuRequested)
    def _menu_requested(self) -> None:
        self.action_menu()

    @on(Table.HeadClicked)
    def _head_clicked(self, event: Table.HeadClicked) -> None:
        self._sort(self._order.by(event.column))

    @on(Table.Marked)
    def _marked(self) -> None:
        self.query_one(Views).set_marked(len(self.table.marked))

    @on(LineList.Changed)
    def _about_changed(self) -> None:
        self._update_status()

    @on(DescendantFocus)
    @on(DescendantBlur)
    def _focus_moved(self) -> None:
        """Show which part has the focus, and its keys."""
        inside = self.focused is self.about
        self.footer.set_scopes(*(("text", "move") if inside else ("browse", "views")), without=self._lacks | PANE_LACKS)
        self._update_status()

    # Actions of keys

    def home(self) -> None:
        """Focus the table."""
        self.set_focus(self.table)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Turn off keys that don't apply: `/` finds in the pane and filters in the list; resources lack actions."""
        if (action == "filter" and self.focused is self.about) or action in self._lacks:
            return False
        return super().check_action(action, parameters)

    def action_open(self) -> None:
        """Focus the details, or open the container's log at the time of an event."""
        target, moment = self._linked_container()
        if target is not None and moment:
            self.app.push_screen(LogScreen((target,), moment))
        elif target is not None:
            self.app.push_screen(Detail(target, "overview", self.dashboard.clock))
        else:
            self.set_focus(self.about)

    def action_stats(self) -> None:
        """Open the container's stats at the time of an event."""
        target, moment = self._linked_container()
        if target is not None:
            self.app.push_screen(Detail(target, "stats", self.dashboard.clock, moment))

    def _linked_container(self) -> tuple[RowTarget | None, int]:
        """Return the container that the row links to, if it still exists, and the time of the event."""
        row = self._row
        container = self.resource.container(row) if row is not None else None
        if row is None or container is None:
            return None, 0
        target = RowTarget(self._load_context.link, container)
        if target.entry is None:
            self.footer.say("that container isn't on this engine", "warn", "see `pyd history` for removed containers")
            return None, 0
        return target, self.resource.moment(row)

    def action_filter(self) -> None:
        """Let the user type a filter."""
        self._filter.display = True
        self.set_focus(self._filter)

    def action_sort(self) -> None:
        """Sort by the next column."""
        self._sort(self._order.next(self.resource.columns))

    @on(Table.ColumnsRequested)
    def action_columns(self) -> None:
        """Choose the columns."""
        from pyd_tui.dashboard.screens.columns import ask_columns  # noqa: PLC0415 - on first use

        ask_columns(self.dashboard, self.resource.name, self.resource.columns, self.table.choose_columns)

    def action_reverse(self) -> None:
        """Reverse the order."""
        self._sort(self._order.reversed())

    def _sort(self, order: RowOrder) -> None:
        self._order = order
        self._show()
        self.footer.say(order.description(self.resource.columns))

    def action_refresh(self) -> None:
        """Reload the rows, with sizes where this view shows any."""
        self._loader.load(measure=self.resource.measures)

    def action_mark(self) -> None:
        """Mark a row."""
        self.table.toggle_mark()

    def action_mark_range(self) -> None:
        """Mark from the last marked row to this one."""
        self.table.mark_range()

    def action_mark_all(self) -> None:
        """Mark all that are shown, or none."""
        self.table.mark_all()

    def action_switch_focus(self) -> None:
        """Switch the focus between the list and the pane."""
        self.set_focus(self.table if self.focused is self.about else self.about)

    def action_back(self) -> None:
        """Clear a search, a focus, marks, a filter; then return to the containers."""
        if self.focused is self.about:
            if not self.end_find():
                self.set_focus(self.table)
        elif self.table.marked:
            self.table.clear_marks()
        elif self._text:
            self._filter.set_text("")
            self._text = ""
            self._show()
        else:
            self.dashboard.open_view("containers")

    def action_quit(self) -> None:
        """Return from the details to the list, else to the containers."""
        if self.focused is self.about:
            self.set_focus(self.table)
        else:
            self.dashboard.open_view("containers")

    # Typing

    @on(Prompt.Changed, "#narrowing")
    def _filter_typed(self, event: Prompt.Changed) -> None:
        self._text = event.text
        self._show()

    @on(Prompt.Done, "#narrowing")
    def _filter_done(self, event: Prompt.Done) -> None:
        if not event.kept:
            self._filter.set_text("")
            self._text = ""
        self.home()
        self._show()
