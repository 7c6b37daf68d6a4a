"""The bottom line: the available keys or a message, and the jobs in progress."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from pyd_tui.dashboard.actions.job_progress import jobs_of
from pyd_tui.dashboard.input.key_bindings import keys_of
from pyd_tui.dashboard.input.keymap import Key, Scope
from pyd_tui.dashboard.render.pieces import EMPTY, Cell, Role, Span, cell, width
from pyd_tui.dashboard.widgets.line import Line

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
        self._swarm = False

    def set_scopes(self, *scopes: Scope, without: Collection[str] = ()) -> None:
        """Show the keys of other scopes, without some actions."""
        all_scopes: tuple[Scope, ...] = (*scopes, "everywhere")
        if (all_scopes, without) != (self._scopes, self._without):
            self._scopes, self._without = all_scopes, without
            self.repaint_line()

    def refresh_keys(self) -> None:
        """Repaint if the engine's state changes the keys."""
        if self._swarm != self._in_swarm:
            self.repaint_line()

    @property
    def _in_swarm(self) -> bool:
        return cast("EngineRegistry", self.app).link.swarm

    def say(self, text: str, role: Role = "text", hint: str = "") -> None:
        """Show a message until the next key."""
        self._message = (*cell(text, role), *(cell(f"  {hint}", "dim") if hint else EMPTY))
        self.repaint_line()

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
        jobs, self._swarm = jobs_of(self.app), self._in_swarm
        if self._message:
            return self._message, jobs
        table = keys_of(self.app)
        bindings = [key for scope in self._scopes for key in table.of(scope) if key.action not in self._without]
        labelled = [key for key in bindings if key.label and key.keys]
        if "containers" not in self._scopes:  # on other screens it leads back first
            labelled = [replace(key, label="back") if key.action == "quit" else key for key in labelled]
        if self._swarm:
            labelled = [replace(key, shown=key.swarm or key.shown) for key in labelled]
        return key_hints(labelled, room - width(jobs) - 2 * bool(jobs)), jobs


def key_hints(bindings: list[Key], room: int) -> Cell:
    """Write keys and labels in order, leaving out those of the highest rank until the rest fits."""
    sizes = {id(key): len(key.shown) + 1 + len(key.label) + 2 for key in bindings}
    kept = list(bindings)
    while kept and sum(sizes[id(key)] for key in kept) - 2 > room:
        kept.remove(max(reversed(kept), key=lambda key: key.rank))
    pieces: list[Span] = []
    for key in kept:
        if pieces:
            pieces.append(Span("  "))
        pieces += (Span(key.shown, "accent"), Span(f" {key.label}", "dim"))
    return tuple(pieces)
