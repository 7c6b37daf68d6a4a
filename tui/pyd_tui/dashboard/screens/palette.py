"""The palette: views, commands and containers, found by a few letters."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol

from textual.containers import Vertical

from pyd_core.sanitise import safe
from pyd_tui.dashboard.actions.menus import CONTAINER_MENU, allows
from pyd_tui.dashboard.engines.target import RowTarget
from pyd_tui.dashboard.input.command_call import CommandCall
from pyd_tui.dashboard.input.commands import COMMANDS
from pyd_tui.dashboard.input.fuzzy import best
from pyd_tui.dashboard.input.key_bindings import shown
from pyd_tui.dashboard.input.keymap import Scope, bindings
from pyd_tui.dashboard.panels.views import FAMILY_UNNUMBERED, FAMILY_VIEWS, VIEWS, view_at_key
from pyd_tui.dashboard.render.figures import counted
from pyd_tui.dashboard.render.pieces import EMPTY, Cell, Span, cell, fit, width
from pyd_tui.dashboard.screens.detail import Detail
from pyd_tui.dashboard.screens.dialog import Dialog
from pyd_tui.dashboard.widgets.block import TextBlock
from pyd_tui.dashboard.widgets.prompt import Prompt

if TYPE_CHECKING:
    from textual import events
    from textual.app import ComposeResult

    from pyd_tui.dashboard.screens.host import ScreenHost

MAX_LINES = 14
"""The number of lines shown."""
MAX_COLUMNS = 88
"""The width of the dialog on wide terminals."""
MAX_NAME_COLUMNS = 40
COMMAND_SCOPES: tuple[Scope, ...] = ("views", "everywhere", "containers")
"""The scopes whose keys are shown next to commands of the same name."""

PaletteAction = Callable[[], None]
"""The action of a line."""


@dataclass(frozen=True, slots=True)
class PaletteItem:
    """An entry of the palette.

    Attributes:
        kind: `view`, `command`, `container` or `yours`.
        about: Its description.
        run: Its action.
        key: The key that does the same.
        safe: Whether it may be preselected: it destroys nothing.
    """

    kind: str
    about: str
    run: PaletteAction
    key: str = ""
    safe: bool = True


class CommandRunner(Protocol):
    """Runs commands: a view."""

    @property
    def target(self) -> RowTarget | None:
        """The container that commands act on."""
        ...

    def do(self, call: CommandCall) -> None:
        """Run a command."""

    def action_command(self, begin: str = "") -> None:
        """Let the user finish a command."""


class CommandPalette(Dialog[PaletteAction | None]):
    """Closes with the chosen action.

    Args:
        dashboard: The app.
        view: The view that runs what is chosen.
    """

    DEFAULT_CSS = """
    CommandPalette { align: center top; }
    CommandPalette Vertical { border: round $accent; padding: 0 1; margin-top: 2; width: auto; height: auto; }
    CommandPalette Vertical { background: $background; }
    """
    BINDINGS = bindings("form")

    def __init__(self, dashboard: ScreenHost, view: CommandRunner) -> None:
        super().__init__()
        self._dashboard = dashboard
        self._view = view
        self._known = list(self._all())
        self.matches: list[tuple[str, PaletteItem]] = []
        """The matches: names with their kind, description and action."""
        self.index = 0

    def compose(self) -> ComposeResult:
        """Lay out the prompt, and the matches below."""
        with Vertical():
            yield Prompt(id="wanted", sign=">")
            yield TextBlock(id="found")

    def on_mount(self) -> None:
        """Show all entries."""
        self._prompt = self.query_one(Prompt)
        self.set_focus(self._prompt)

    def on_resize(self) -> None:
        """Lay out the matches for the terminal's size."""
        self._room = max(20, min(MAX_COLUMNS, self.app.size.width - 6))
        self._prompt.styles.width = self._room
        self._search(self._prompt.text)

    def _all(self) -> Iterator[tuple[str, PaletteItem]]:
        """Return all entries, in the order in which they are offered before anything is typed: the safe ones first."""
        view, keys = self._view, self._dashboard.keys
        family = self._dashboard.link.family
        shown_keys = [(view_at_key(key.name, family), " ".join(map(shown, key.keys))) for key in keys.of("views")]
        digits = dict(reversed(shown_keys))  # a key past the last view keeps its engine's name
        for name in (*FAMILY_VIEWS.get(family, VIEWS), *FAMILY_UNNUMBERED.get(family, ())):
            run = partial(view.do, CommandCall("view", (name,)))
            yield name, PaletteItem("view", "", run, key=digits.get(name, ""))
        own_keys = {name: shown(key) for key, name in keys.own.items()}
        for command in keys.commands:
            run = partial(view.do, CommandCall("own", (command.name,)))
            yield command.name, PaletteItem("yours", command.help, run, key=own_keys.get(command.name, ""))
        several = len(self._dashboard.in_sight) > 1
        containers = [
            (
                entry.name,
                PaletteItem(
                    "container",
                    f"{entry.image} on {link.label}" if several else entry.image,
                    partial(self._open, RowTarget(link, entry.id)),
                ),
            )
            for link in self._dashboard.in_sight
            for entry in link.containers.values()
        ]
        by_name = {key.name: key.shown for scope in COMMAND_SCOPES for key in keys.of(scope) if key.keys}
        suits = [item for item in COMMANDS.items() if self._suits(item[0])]
        commands = sorted(suits, key=lambda item: item[1].destructive)
        for name, known in commands:
            ask = partial(view.action_command, f"{name} ")
            run = ask if known.least else partial(view.do, CommandCall(name))
            item = PaletteItem("command", known.help, run, key=by_name.get(name, ""), safe=not known.destructive)
            if known.destructive and containers:
                yield from containers  # between what is safe and what isn't
                containers = []
            yield name, item
        yield from containers

    def _suits(self, command: str) -> bool:
        """Return whether the provider has a command, and it makes sense for the container under the cursor."""
        if command in self._dashboard.link.lacks:
            return False
        target = self._view.target
        if target is None or (entry := target.entry) is None:
            return True
        condition = next((condition for name, _, condition in CONTAINER_MENU if name == command), "")
        return allows(entry, condition)

    def _open(self, target: RowTarget) -> None:
        self._dashboard.push_screen(Detail(target, "overview", self._dashboard.clock))

    def _search(self, query: str) -> None:
        matching = best(query, self._known, len(self._known))
        self.matches = matching[: min(MAX_LINES, max(3, self.app.size.height - 8))]
        note = counted(len(matching), "match", "matches") if query.strip() else "a view, a command, a container"
        self._prompt.set_notes(cell(note, "dim"), EMPTY)
        self.index = self._preselected(query)
        self._show()

    def _preselected(self, query: str) -> int:
        """Return the first match that destroys nothing, unless a destructive one was typed in full; -1 if none is."""
        for index, (name, what) in enumerate(self.matches):
            if what.safe or name == query.strip():
                return index
        return -1

    def _show(self) -> None:
        widest = max((width(cell(safe(name))) for name, _ in self.matches), default=0)
        kinds = max((len(what.kind) for _, what in self.matches), default=0)
        keys = max((width(cell(what.key)) for _, what in self.matches), default=0)
        columns = (kinds, keys, min(MAX_NAME_COLUMNS, self._room // 2, widest))
        lines = [self._line(number, name, what, columns) for number, (name, what) in enumerate(self.matches)]
        self.query_one(TextBlock).put(lines or [fit(cell("no match", "dim"), self._room)])

    def _line(self, number: int, name: str, what: PaletteItem, columns: tuple[int, int, int]) -> Cell:
        """Return the line of a match; `columns` are the widths of kinds, keys and names among all matches."""
        kinds, keys, names = columns
        here = number == self.index
        mark = Span("▌ ", "accent") if here else Span("  ")
        text = (*fit(cell(safe(name), "title" if here else "text"), names), Span("  "), *cell(what.about, "dim"))
        key = (*fit(cell(what.key, "accent"), keys), Span("  ")) if keys else EMPTY
        return fit((mark, *fit(cell(what.kind, "info"), kinds), Span("  "), *key, *text), self._room)

    def on_prompt_changed(self, event: Prompt.Changed) -> None:
        """Show the matches of what is typed."""
        event.stop()
        self._search(event.text)

    def on_click(self, event: events.Click) -> None:
        """Choose the clicked match; a click outside closes the palette."""
        row = self.row_at(event, "found")
        if row is not None and row < len(self.matches):
            self.dismiss(self.matches[row][1].run)
        elif not self.query_one(Vertical).region.contains(event.screen_x, event.screen_y):
            self.dismiss(None)

    def action_next(self) -> None:
        """Select the next match."""
        self._after_typing(partial(self._step, 1))

    def action_previous(self) -> None:
        """Select the previous match."""
        self._after_typing(partial(self._step, -1))

    def action_accept(self) -> None:
        """Close with the selected match."""
        self._after_typing(self._choose)

    def _after_typing(self, work: PaletteAction) -> None:
        """Run a key's action once all text typed before it was processed, which takes two queues."""
        self._prompt.call_later(self.call_later, work)

    def _step(self, step: int) -> None:
        self.index = min(max(0, self.index + step), len(self.matches) - 1)
        self._show()

    def _choose(self) -> None:
        if self.index >= 0:
            self.dismiss(self.matches[self.index][1].run)
        elif not self.matches:
            self.dismiss(None)

    def action_cancel(self) -> None:
        """Close without an action."""
        self.dismiss(None)
