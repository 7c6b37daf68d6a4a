"""Any view but that of the containers: a table of one noun above, all about the row under the cursor below."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from textual import on
from textual.containers import Container

from pyd_core.errors import InvalidInput, PydError
from pyd_core.watch.delta import Delta
from pyd_tui.dashboard.actions.removal import BulkRemoval
from pyd_tui.dashboard.engines.detail_loader import DetailLoader
from pyd_tui.dashboard.engines.row_loader import RowLoader
from pyd_tui.dashboard.engines.target import RowTarget
from pyd_tui.dashboard.input.commands import CommandCall
from pyd_tui.dashboard.input.keymap import bindings
from pyd_tui.dashboard.panels.footer import Footer
from pyd_tui.dashboard.panels.header import Header
from pyd_tui.dashboard.panels.views import Views
from pyd_tui.dashboard.render.figures import counted
from pyd_tui.dashboard.render.narrowing import shown_count
from pyd_tui.dashboard.render.pieces import EMPTY, Cell, cell
from pyd_tui.dashboard.resources.base import LoadContext, PruneCandidate, ResourceView, Row
from pyd_tui.dashboard.screens.detail import Detail
from pyd_tui.dashboard.screens.logs import LogScreen
from pyd_tui.dashboard.screens.view import ViewScreen
from pyd_tui.dashboard.widgets.line import Line
from pyd_tui.dashboard.widgets.lines import LineList
from pyd_tui.dashboard.widgets.prompt import Prompt
from pyd_tui.dashboard.widgets.table import Table

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from pyd_tui.dashboard.engines.connection import EngineConnection

CALM = 0.3
"""Seconds in which events are gathered before the rows are loaded again."""


class Browse(ViewScreen):
    """One noun's view. It asks the engine when it is opened, when an event says that something changed, and on `^r`.

    Args:
        noun: What it shows.
        stock: What the noun's loader draws on.
    """

    DEFAULT_CSS = """
    Browse #list { height: 1fr; }
    Browse #about { height: 45%; min-height: 4; }
    Browse #narrowing { display: none; }
    """
    BINDINGS = bindings("browse", "views", "everywhere")
    AUTO_FOCUS = "#rows"

    def __init__(self, noun: ResourceView, stock: LoadContext) -> None:
        super().__init__()
        self.noun = noun
        self.view = noun.name
        self._stock = stock
        self._text = ""
        self._said: Cell = EMPTY
        can = {
            "dig": noun.dig is not None,
            "logs": noun.logs is not None,
            "remove": noun.remove is not None,
            "prune": noun.waste is not None,
            "save": noun.name == "images",
            "stats": noun.name in {"events", "deaths", "tasks"},
        }
        can |= dict.fromkeys(("mark", "mark_range", "mark_all"), can["remove"] or can["save"])
        self._lacks = frozenset(action for action, there in can.items() if not there)
        """Actions that make no sense for this noun."""

    def compose(self) -> ComposeResult:
        """The lines from top to bottom."""
        dashboard = self.dashboard
        yield Header(self.links, dashboard.clock)
        yield Views(self.noun.name)
        yield Prompt(id="narrowing")
        with Container(id="list"):
            rows: Table[str] = Table(self.noun.columns, self._cells, id="rows")
            yield rows
        yield Line(id="subject")
        about: LineList[Cell] = LineList(lambda line: line, id="about")
        yield about
        yield Prompt(id="find")
        yield Prompt(id="command", sign=":")
        yield Footer("browse", "views", without=self._lacks)

    def on_mount(self) -> None:
        """Asks for the rows."""
        self.table: Table[str] = self.query_one(Table)
        self.about = self.query_one("#about", LineList)
        self.footer = self.query_one(Footer)
        self._filter = self.query_one("#narrowing", Prompt)
        self.about.ask = self.ask_find
        self.query_one(Header).update_content()
        self._telling = DetailLoader(self.noun, self._stock, self.about, self.dashboard.tasks, row=lambda: self._row)
        self._calming = self.set_interval(CALM, self._calmed, pause=True)
        self._loading = RowLoader(self.noun, self._stock, self, self.dashboard.tasks)
        self._removing = BulkRemoval(self.dashboard, self._stock, self._removed)
        self.table.say(("loading", "dim"))
        self._loading.load(measure=self.noun.measures_at_once and self._stock.disk is None)

    def on_resize(self) -> None:
        """Prose is wrapped for another width."""
        if self.is_mounted:
            self._telling.fit()

    @property
    def pane(self) -> LineList[Any]:
        """All about the row under the cursor."""
        return self.about

    # What happens

    def changed(self, link: EngineConnection, delta: Delta, *, happened: bool) -> None:
        """Has the rows loaded again when an event says that they may differ."""
        del happened
        self.query_one(Header).update_content()
        live = link.connection.state == "live"
        self.table.set_stale(stale=not live)
        self.about.set_stale(stale=not live)
        if delta.gap is not None or (live and not self._rows) or any(map(self.noun.renewed_by, delta.events)):
            self._calming.resume()

    def _calmed(self) -> None:
        self._calming.pause()
        self._loading.load()
        if self.noun.lags:
            self.set_timer(self.noun.lags, self._loading.load)

    def loaded(self) -> None:
        """Shows the rows."""
        at_top = self.table.index == 0
        self._show()
        if at_top and self.noun.name == "events" and self.table.keys:
            self.table.go_to(self.table.keys[0])
        self._say("")
        self._telling.renew()

    def not_loaded(self, error: PydError) -> None:
        """Says why there are none."""
        self.footer.say(error.message, "bad", error.hint)
        self._say("")
        self.table.say((error.message, "bad"), (error.hint, "dim"))  # what the footer says goes with a key

    def measuring(self) -> None:
        """Says that this may take its time."""
        self._say("measuring")

    def _show(self) -> None:
        rows = self._rows
        shown = [row for row in rows.values() if row.matches(self._text)]
        self.table.say((f"none of {len(rows)} matches" if rows else self.noun.empty, "dim"))
        self.table.set_rows([row.key for row in shown], self.noun.natural(shown))
        self._filter.set_notes(EMPTY, shown_count(len(shown), len(rows)))
        self._filter.display = bool(self._text) or self.focused is self._filter
        self._tell()

    def _say(self, text: str) -> None:
        self._said = cell(text, "dim")
        self._tell()

    def _tell(self) -> None:
        row = self._row
        left = cell(row.name, "strong") if row is not None else EMPTY
        right = self.about.search_status or self._said
        name = self.noun.name if self.table.count != 1 else self.noun.name.removesuffix("s")
        counted = self.table.count and self.noun.name != "system"
        count = cell(f"{self.table.count:,} {name}" if counted else "", "dim")
        self.query_one("#subject", Line).put(left, right or count)

    @property
    def _rows(self) -> dict[str, Row]:
        return self._loading.rows

    @property
    def _row(self) -> Row | None:
        return self._rows.get(self.table.key or "")

    @property
    def _chosen(self) -> list[Row]:
        """The marked rows, else the one under the cursor."""
        marked = [row for key, row in self._rows.items() if key in self.table.marked]
        return marked or ([self._row] if self._row is not None else [])

    def _cells(self, key: str) -> tuple[Cell, ...]:
        row = self._rows.get(key)
        return row.cells if row is not None else (EMPTY,) * len(self.noun.columns)

    @on(Table.Moved)
    def _moved(self) -> None:
        self._telling.moved()
        self._tell()

    @on(LineList.Changed)
    def _about_changed(self) -> None:
        self._tell()

    # What keys do

    def home(self) -> None:
        """Gives the focus back to the table."""
        self.set_focus(self.table)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """In the pane `/` looks for something, in the list it filters; what a noun can't do has no key."""
        if (action == "filter" and self.focused is self.about) or action in self._lacks:
            return False
        return super().check_action(action, parameters)

    def action_open(self) -> None:
        """Goes to the pane, or from an event to that second in its container's log."""
        target, moment = self._led()
        if target is not None and moment:
            self.app.push_screen(LogScreen((target,), moment))
        elif target is not None:
            self.app.push_screen(Detail(target, "overview", self.dashboard.clock))
        else:
            self.set_focus(self.about)

    def action_stats(self) -> None:
        """Goes from an event to what its container used then."""
        target, moment = self._led()
        if target is not None:
            self.app.push_screen(Detail(target, "stats", self.dashboard.clock, moment))

    def _led(self) -> tuple[RowTarget | None, int]:
        """The container that the row leads to, if it is there still, and the moment it is about."""
        row = self._row
        container = self.noun.container(row) if row is not None else None
        if row is None or container is None:
            return None, 0
        target = RowTarget(self._stock.link, container)
        if target.entry is None:
            self.footer.say(
                "that container isn't on this engine", "warn", "pyd history tells of recorded ones that are gone"
            )
            return None, 0
        return target, self.noun.moment(row)

    def action_filter(self) -> None:
        """Lets the user type a filter."""
        self._filter.display = True
        self.set_focus(self._filter)

    def action_renew(self) -> None:
        """Asks the engine again, for sizes too where this view shows any."""
        self._loading.load(measure=self.noun.measures)

    def action_dig(self) -> None:
        """Looks into what the row is about."""
        if (row := self._row) is not None and self.noun.dig is not None:
            self.dashboard.tasks.start(self._dig(self.noun.dig, row), name="look inside")

    async def _dig(self, dig: Callable[[LoadContext, Row, Callable[[str], None]], Awaitable[None]], row: Row) -> None:
        try:
            await dig(self._stock, row, lambda text: self._say(text) if self.is_attached else None)
        finally:
            if self.is_attached:
                self._say("")
        if self._row is row:
            await self._telling.look(row)

    def action_logs(self) -> None:
        """Opens the logs of what the row is about."""
        if (row := self._row) is not None and self.noun.logs is not None:
            self.dashboard.tasks.start(self._open_logs(self.noun.logs, row), name="logs")

    async def _open_logs(self, logs: Callable[[LoadContext, Row], Awaitable[dict[str, str]]], row: Row) -> None:
        from pyd_tui.dashboard.screens.tasklogs import TaskLogs  # noqa: PLC0415 - of a swarm alone

        if tasks := await logs(self._stock, row):
            self.app.push_screen(TaskLogs(self._stock.link, row.name, tasks))
        else:
            self.footer.say(f"no task of {row.name} has begun yet", "warn")

    def action_mark(self) -> None:
        """Marks a row."""
        self.table.toggle_mark()

    def action_mark_range(self) -> None:
        """Marks from the last marked row to this one."""
        self.table.mark_range()

    def action_mark_all(self) -> None:
        """Marks all that are shown, or none."""
        self.table.mark_all()

    def action_save(self) -> None:
        """Saves the marked images, or the one under the cursor, to a file."""
        if names := [row.name for row in self._chosen]:
            self.dashboard.errands.save_images(self._stock.engine, names)

    def action_switch_focus(self) -> None:
        """Between the list and the pane."""
        self.set_focus(self.table if self.focused is self.about else self.about)

    def action_back(self) -> None:
        """Undoes a search, a focus, marks, a filter; then goes to the containers."""
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
            self.action_quit()

    def action_quit(self) -> None:
        """Goes back to the containers."""
        self.dashboard.open_view("containers")

    def action_remove(self) -> None:
        """Removes the marked rows, or the one under the cursor; asks always."""
        remove, rows = self.noun.remove, self._chosen
        if remove is None or not rows or not self.dashboard.may_change():
            return
        what = rows[0].name if len(rows) == 1 else f"{len(rows)} {self.noun.name}"
        found = [PruneCandidate(row.name, None, lambda engine, row=row: remove(engine, row)) for row in rows]  # type: ignore[misc]
        self._removing.ask(f"Remove {what}?", found)

    def action_prune(self) -> None:
        """Removes what nothing uses, after showing exactly what that is."""
        row = self._row
        wanted = self.noun.waste is not None and (row is not None or self.noun.name != "system")
        if wanted and self.dashboard.may_change():
            self.dashboard.tasks.start(self._removing.prune(self.noun, row), name="prune")

    def _removed(self, *, well: bool) -> None:
        if well:
            self.table.clear_marks()
        self._loading.load(measure=self.noun.measures_at_once)

    def run(self, call: CommandCall) -> None:
        """Does a command about what this view shows."""
        if call.verb == "prune":
            self.action_prune()
        elif call.verb == "scale" and self.noun.name == "services" and (row := self._row) is not None:
            if not call.words[0].isdecimal():
                raise InvalidInput("write :scale and a number", hint=f"how many tasks {row.name} shall have")
            if self.dashboard.may_change():
                self.dashboard.tasks.start(self._scale(row, int(call.words[0])), name="scale")
        else:
            super().run(call)

    async def _scale(self, row: Row, count: int) -> None:
        try:
            await self._stock.engine.services.scale(row.key, count)
        except PydError as error:
            self.footer.say(error.message, "bad", error.hint)
        else:
            self.footer.say(f"{row.name} shall have {counted(count, 'task')}", "good")

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
