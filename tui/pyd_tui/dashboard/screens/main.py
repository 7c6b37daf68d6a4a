"""The first screen: the containers, and below them the log of the one under the cursor, or the engine's events."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from textual import on
from textual.containers import Container

from pyd_core.fleet.delta import Delta
from pyd_core.fleet.entry import Entry
from pyd_tui.dashboard.keymap import bindings
from pyd_tui.dashboard.link import Link
from pyd_tui.dashboard.panels.containers import Containers
from pyd_tui.dashboard.panels.events import Events
from pyd_tui.dashboard.panels.footer import Footer
from pyd_tui.dashboard.panels.header import Header
from pyd_tui.dashboard.panels.logs import LogPane
from pyd_tui.dashboard.panels.notice import Notice
from pyd_tui.dashboard.panels.tabs import Tabs
from pyd_tui.dashboard.panels.views import Views
from pyd_tui.dashboard.render.narrowing import narrowing, tally
from pyd_tui.dashboard.render.pieces import EMPTY, cell
from pyd_tui.dashboard.screens.view import ViewScreen
from pyd_tui.dashboard.view import SORTS, View
from pyd_tui.dashboard.widgets.lines import Lines
from pyd_tui.dashboard.widgets.prompt import Prompt
from pyd_tui.dashboard.widgets.table import Table

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from pyd_tui.dashboard.actions import Action
    from pyd_tui.dashboard.commands import Call

SETTLE = 0.15
"""Seconds the cursor has to rest on a container before its log is asked for: a held key shall not ask for fifty."""


class Main(ViewScreen):
    """Containers above, a pane below."""

    DEFAULT_CSS = """
    Main #list { height: 1fr; align: center middle; }
    Main #pane { height: 36%; min-height: 4; }
    Main #narrowing { display: none; }
    Main #notice { display: none; }
    """
    BINDINGS = bindings("containers", "views", "everywhere")
    AUTO_FOCUS = "#containers"

    def compose(self) -> ComposeResult:
        """The lines from top to bottom."""
        dashboard = self.dashboard
        yield Header(dashboard.link, dashboard.clock)
        yield Views("containers")
        yield Prompt(id="narrowing")
        with Container(id="list"):
            yield Containers(dashboard.link, dashboard.clock)
            yield Notice()
        yield Tabs(("logs", "events"), "logs", id="tabs")
        with Container(id="pane"):
            yield LogPane(dashboard.tail.book, dashboard.clock, self._tell_pane, id="logs")
            yield Events(dashboard.clock, id="events")
        yield Prompt(id="find")
        yield Prompt(id="command", sign=":")
        yield Footer("containers", "views")

    def on_mount(self) -> None:
        """Shows what there is, which at the start is nothing."""
        self.table = self.query_one(Containers)
        self.notice = self.query_one(Notice)
        self.logs = self.query_one(LogPane)
        self.events = self.query_one(Events)
        self.tabs = self.query_one(Tabs)
        self.footer = self.query_one(Footer)
        self._filter = self.query_one("#narrowing", Prompt)
        self._settling = self.set_interval(SETTLE, self._follow, pause=True)
        self.events.display = False
        self.events.show(self.dashboard.timeline.items)
        self.logs.ask = self.events.ask = self.ask_find
        self.bind_own()
        beginning = self.dashboard.beginning
        last = beginning.remembered
        self._filter.set_text(beginning.filter)
        sort = last.sort if last.sort in SORTS else SORTS[0]
        self._narrow(View(text=beginning.filter, living_only=last.living_only, broken_only=last.broken_only, sort=sort))

    @property
    def pane(self) -> LogPane | Lines[Any]:
        """The pane that is open."""
        return self.logs if self.tabs.current == "logs" else self.events

    @property
    def target(self) -> str | None:
        """The container under the cursor."""
        return self.table.key

    # What happens

    def changed(self, delta: Delta, *, happened: bool) -> None:
        """Takes what changed into the list."""
        self.table.apply(delta)
        self._look()
        if happened:
            self.events.sync()
            self._tell_pane()

    def turn(self, link: Link) -> None:
        """Shows another engine from now on; what narrows the list and orders it stays."""
        self.query_one(Header).link = self.table.link = link
        self.table.marked.clear()
        self.table.pending.clear()
        self.events.show(link.timeline.items)
        self.query_one(Views).look()
        self.table.look()
        self._look()
        self._tell_pane()
        self._settling.resume()

    def judged(self) -> None:
        """Takes a verdict into the list: what turned out to be well leaves the view of the broken."""
        self.table.look()
        self._look()

    def measured(self) -> None:
        """Takes new figures into the list."""
        self.table.measured()

    def logged(self) -> None:
        """Takes new lines into the pane."""
        self.logs.show(self.dashboard.tail.book)
        self._tell_pane()

    def watched(self) -> set[str]:
        """What is on screen and lives is measured."""
        return self.table.worth_measuring()

    @on(Table.Moved)
    def _moved(self) -> None:
        self._settling.reset()
        self._settling.resume()
        self._tell_pane()

    @on(Table.Viewed)
    def _viewed(self) -> None:
        self.dashboard.measure()

    @on(Lines.Changed)
    def _pane_changed(self) -> None:
        self._tell_pane()

    async def _follow(self) -> None:
        self._settling.pause()
        if self.tabs.current == "logs":
            await self.dashboard.tail.follow(self.table.key)

    def _look(self) -> None:
        """Shows list or notice, and says what hides containers."""
        link, view = self.dashboard.link, self.table.view
        self.query_one(Header).look()
        empty = not self.table.keys
        if empty:
            self.notice.look(link.connection, total=len(link.containers), filtered=_in_words(view))
        if self.notice.display != empty:
            self.notice.display = empty
            self.table.display = not empty
            if not empty and self.focused is None:
                self.set_focus(self.table)
        self._filter.tell(narrowing(view), tally(self.table.count, len(link.containers)))
        self._filter.display = view.narrows or self.focused is self._filter
        self.dashboard.measure()

    def _tell_pane(self) -> None:
        if self.tabs.current == "logs":
            shown = self.dashboard.tail.book.containers  # what is read: the cursor may be further on already
            entry = self.dashboard.link.containers.get(shown[0]) if shown else None
            self.tabs.tell(cell(entry.name, "strong") if entry else EMPTY, self.logs.status if entry else EMPTY)
        else:
            self.tabs.tell(EMPTY, cell(f"{self.events.count:,} events", "dim"))

    # What keys do

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """In the pane `/` looks for something, in the list it filters."""
        if action == "filter" and self.focused is self.pane:
            return False
        return super().check_action(action, parameters)

    def home(self) -> None:
        """Gives the focus back to the list."""
        self.set_focus(self.table)

    def action_open(self) -> None:
        """Opens the container under the cursor."""
        self._open("overview")

    def action_logs(self) -> None:
        """Opens its log, or those of the marked ones as one."""
        if keys := tuple(self.table.targets()):
            self._open_logs(keys)

    def action_project_logs(self) -> None:
        """Opens the logs of its Compose project as one."""
        known = self.dashboard.link.containers
        entry = known.get(self.table.key or "")
        if entry is None:
            return
        keys = [one.id for one in known.values() if one.project and one.project == entry.project]
        self._open_logs(tuple(keys) or (entry.id,))

    def _open_logs(self, keys: tuple[str, ...]) -> None:
        from pyd_tui.dashboard.screens.logs import LogScreen  # noqa: PLC0415 - when it is opened

        self.app.push_screen(LogScreen(keys))

    def action_inspect(self) -> None:
        """Opens what the engine knows about it."""
        self._open("inspect")

    def action_why(self) -> None:
        """Opens the verdict on it."""
        self._open("why")

    def _open(self, tab: str) -> None:
        if self.table.key is not None:
            from pyd_tui.dashboard.screens.detail import Detail  # noqa: PLC0415 - when it is opened

            self.app.push_screen(Detail(self.table.key, tab, self.dashboard.clock))

    def action_mark(self) -> None:
        """Marks a container."""
        self.table.toggle_mark()

    def action_mark_range(self) -> None:
        """Marks from the last marked container to this one."""
        self.table.mark_range()

    def action_mark_all(self) -> None:
        """Marks all that are shown, or none."""
        self.table.mark_all()

    def action_again(self) -> None:
        """Runs it again with changes."""
        if self.table.key is not None:
            self.dashboard.acting.run_again(self.table.key)

    def action_limits(self) -> None:
        """Changes limits while it runs."""
        self.dashboard.acting.limits(self.table.targets(), self.table.set_pending, self._over)

    def action_commit(self) -> None:
        """Makes an image of it."""
        if self.table.key is not None:
            self.dashboard.acting.commit(self.table.key)

    def action_pull(self) -> None:
        """Pulls its image anew."""
        if (entry := self.dashboard.link.containers.get(self.table.key or "")) is not None:
            self.dashboard.acting.pull(entry.image)

    def action_compose(self) -> None:
        """Lets the user say what to do with the whole project."""
        self.action_command("compose ")

    def action_filter(self) -> None:
        """Lets the user type a filter."""
        self._filter.display = True
        self.set_focus(self._filter)

    def action_toggle_all(self) -> None:
        """All of them, or only the living."""
        self._narrow(replace(self.table.view, living_only=not self.table.view.living_only))

    def action_toggle_broken(self) -> None:
        """Only the broken ones, or all."""
        self._narrow(replace(self.table.view, broken_only=not self.table.view.broken_only))

    def action_sort(self) -> None:
        """Orders by the next column."""
        view = self.table.view.next_sort()
        self._narrow(view)
        self.footer.say(f"ordered by {view.sort}")

    def action_scale(self) -> None:
        """Processor use in percent of one core, or of all that a container may use."""
        view = self.table.view
        self.dashboard.link.count_processors()
        self._narrow(replace(view, scale="most" if view.scale == "core" else "core"))
        whole = "what it may use: its limit, or all processors"
        self.footer.say(f"100% is {'one core' if view.scale == 'most' else whole}")

    def action_pane(self) -> None:
        """Shows the other pane."""
        name = "events" if self.tabs.current == "logs" else "logs"
        self.logs.display, self.events.display = name == "logs", name == "events"
        self.tabs.open(name)
        self._settling.resume()
        self._tell_pane()

    def action_switch_focus(self) -> None:
        """Between the list and the pane."""
        self.set_focus(self.table if self.focused is self.pane else self.pane)

    def action_back(self) -> None:
        """Undoes what narrows: a search, a focus, marks, then the filters."""
        if self.focused is self.pane:
            if not self.end_find():
                self.set_focus(self.table)
        elif self.table.marked:
            self.table.clear_marks()
        else:
            self._filter.set_text("")
            self._narrow(View(sort=self.table.view.sort, scale=self.table.view.scale))

    def action_quit(self) -> None:
        """Leaves."""
        self.app.exit()

    def action_act(self, name: str) -> None:
        """Does something to the marked containers, or to the one under the cursor."""
        from pyd_tui.dashboard.actions import ACTIONS  # noqa: PLC0415 - when something is done

        self._do(ACTIONS[name])

    def run(self, call: Call) -> None:
        """Does what was typed to the marked containers, or to the one under the cursor."""
        from pyd_tui.dashboard import actions  # noqa: PLC0415 - when something is done

        entry = self.dashboard.link.containers.get(self.table.key or "")
        match call.verb:
            case "start" | "stop" | "restart" | "remove":
                self.action_act(call.verb)
            case "kill":
                self._do(actions.kill(*call.words))
            case "update":
                self._do(actions.update(call.words))
            case "rename" if len(self.table.targets()) > 1:
                self.footer.say("several containers can't have one name", "warn", "esc takes the marks away")
            case "rename":
                self._do(actions.rename(call.words[0]))
            case "again" | "commit" | "pull" | "export" | "compose" if entry is not None:
                self._one(call, entry)
            case "prune":
                self.dashboard.open_view("system")
            case _:
                super().run(call)

    def _one(self, call: Call, entry: Entry) -> None:
        """Does what is done to one container alone."""
        dashboard = self.dashboard
        match call.verb:
            case "again":
                dashboard.acting.run_again(entry.id)
            case "commit":
                dashboard.acting.commit(entry.id)
            case "pull":
                dashboard.acting.pull(call.words[0] if call.words else entry.image)
            case "export":
                dashboard.errands.export(entry.id, entry.name)
            case _:
                dashboard.programs.compose(entry, call.words[0])

    def _do(self, action: Action) -> None:
        self.dashboard.acting.do(action, self.table.targets(), self.table.set_pending, self._over)

    def _over(self, failed: set[str]) -> None:
        self.table.marked &= failed  # what failed stays marked, so that it can be tried again
        self.table.sync()

    # Typing

    def _narrow(self, view: View) -> None:
        self.table.look(view)
        self._look()

    @on(Prompt.Changed, "#narrowing")
    def _filter_typed(self, event: Prompt.Changed) -> None:
        self._narrow(replace(self.table.view, text=event.text))

    @on(Prompt.Done, "#narrowing")
    def _filter_done(self, event: Prompt.Done) -> None:
        if not event.kept:
            self._filter.set_text("")
            self._narrow(replace(self.table.view, text=""))
        self.set_focus(self.table)
        self._look()


def _in_words(view: View) -> str:
    words = [
        *(["broken"] if view.broken_only else []),
        *(["running"] if view.living_only else []),
        *([f"matched by “{view.text}”"] if view.text else []),
    ]
    return " and ".join(words)
