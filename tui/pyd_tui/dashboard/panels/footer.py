"""The bottom line: the available keys or a message, and the jobs in progress."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from rich.cells import cell_len

from pyd_tui.dashboard.actions.job_progress import jobs_of
from pyd_tui.dashboard.actions.undo import offer_of
from pyd_tui.dashboard.input.key_bindings import keys_of
from pyd_tui.dashboard.input.keymap import Key, Scope
from pyd_tui.dashboard.render.pieces import EMPTY, Cell, Role, Span, cell, width
from pyd_tui.dashboard.widgets.line import Line
from pyd_tui.dashboard.widgets.strips import join

if TYPE_CHECKING:
    from pyd_tui.dashboard.protocols import EngineRegistry


class Footer(Line):
    """Shows keys of the keymap until there is a message, and the message until the next key.

    Args:
        scopes: The parts of the keymap that apply to this screen.
        without: Their actions that don't apply.
    """

    def __init__(self, *scopes: Scope, without: Collection[str] = ()) -> None:
        super().__init__(id="footer")
        self._without = without
        self._scopes: tuple[Scope, ...] = (*scopes, "everywhere")
        self._message: Cell = EMPTY
        self._row_labels: dict[str, str] = {}
        self._prompt_keys: tuple[Key, ...] = ()
        """The keys of the prompt that the user types into; empty while there is none."""
        self._hits: list[tuple[Key, int, int]] = []
        """The shown keys, with the first terminal column of each and the one after its last."""
        self._provider: tuple[bool, str] = (False, "engine")

    def set_scopes(self, *scopes: Scope, without: Collection[str] = ()) -> None:
        """Show the keys of other scopes, without some actions."""
        all_scopes: tuple[Scope, ...] = (*scopes, "everywhere")
        if (all_scopes, without) != (self._scopes, self._without):
            self._scopes, self._without = all_scopes, without
            self.repaint_line()

    def refresh_keys(self) -> None:
        """Repaint if the engine's state changes the keys."""
        if self._provider != self._current_provider:
            self.repaint_line()

    @property
    def _current_provider(self) -> tuple[bool, str]:
        """Whether there are more views than those of every engine, and the family of the provider."""
        link = cast("EngineRegistry", self.app).link
        return link.swarm or link.family != "engine", link.family

    def clicked(self, x: int) -> None:
        """Press the clicked key."""
        if self._message:
            return
        for key, start, end in self._hits:
            if start <= x < end:
                self.app.simulate_key(key.keys[0])

    @property
    def scopes(self) -> tuple[Scope, ...]:
        """The parts of the keymap that apply to the screen, the most specific first."""
        return self._scopes

    def set_prompt(self, keys: tuple[Key, ...]) -> None:
        """Show the keys of a prompt in place of the others; none ends that."""
        if keys != self._prompt_keys:
            self._prompt_keys = keys
            self.repaint_line()

    def set_row_labels(self, labels: Mapping[str, str]) -> None:
        """Name keys for the row under the cursor: labels by action; an empty one leaves the key out."""
        if labels != self._row_labels:
            self._row_labels = dict(labels)
            self.repaint_line()

    def say(self, text: str, role: Role = "text", hint: str = "") -> Cell:
        """Show a message until the next key.

        Returns:
            The message, for `unsay`.
        """
        self._message = (*cell(text, role), *(cell(f"  {hint}", "dim") if hint else EMPTY))
        self.repaint_line()
        return self._message

    def unsay(self, message: Cell) -> None:
        """Show the keys again if they are hidden by this message, which no longer holds."""
        if message and message == self._message:
            self.clear()

    def clear(self) -> None:
        """Show the keys again."""
        if self._message:
            self._message = EMPTY
            self.repaint_line()

    @property
    def message(self) -> str:
        """The message without colours; empty while keys are shown."""
        return "".join(piece.text for piece in self._message)

    def content(self, room: int) -> tuple[Cell, Cell]:
        """Return the message, or the most useful keys that fit."""
        jobs, self._provider = join((offer_of(self.app), jobs_of(self.app)), "   "), self._current_provider
        if self._message:
            return self._message, jobs
        labelled = [key for key in self._prompt_keys if key.keys] or self._labelled
        left = room - width(jobs) - 2 * bool(jobs)
        self._hits, x = [], 0
        for key in fitting(labelled, left):
            end = x + cell_len(key.shown) + 1 + cell_len(key.label)
            self._hits.append((key, x, end))
            x = end + 2
        return key_hints(labelled, left), jobs

    @property
    def _labelled(self) -> list[Key]:
        """The keys of the scopes that have a label."""
        table = keys_of(self.app)
        bindings = [key for scope in self._scopes for key in table.of(scope) if key.action not in self._without]
        bindings = [
            replace(key, label=self._row_labels[key.action]) if key.action in self._row_labels else key
            for key in bindings
        ]
        lacks = cast("EngineRegistry", self.app).link.lacks
        labelled = [key for key in bindings if key.label and key.keys and key.name not in lacks]
        if "containers" not in self._scopes:  # on other screens it leads back first
            labelled = [replace(key, label="back") if key.action == "quit" else key for key in labelled]
        if self._provider[0]:
            labelled = [replace(key, shown=key.swarm or key.shown) for key in labelled]
        return labelled


def fitting(bindings: list[Key], room: int) -> list[Key]:
    """Return the keys that fit, leaving out those of the highest rank."""
    sizes = {id(key): len(key.shown) + 1 + len(key.label) + 2 for key in bindings}
    kept = list(bindings)
    while kept and sum(sizes[id(key)] for key in kept) - 2 > room:
        kept.remove(max(reversed(kept), key=lambda key: key.rank))
    return kept


def key_hints(bindings: list[Key], room: int) -> Cell:
    """Write keys and labels in order, as far as they fit."""
    pieces: list[Span] = []
    for key in fitting(bindings, room):
        if pieces:
            pieces.append(Span("  "))
        pieces += (Span(key.shown, "accent"), Span(f" {key.label}", "dim"))
    return tuple(pieces)
