"""Work that takes its time: how far it is, in a bar."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import TYPE_CHECKING, Any

from pyd_core.humanize import compact_size
from pyd_tui.dashboard.render.pieces import EMPTY, Cell, Span, cell

if TYPE_CHECKING:
    from textual.app import App

FRAME = 0.2
"""Seconds between two paints of a bar: over a slow line every one costs."""
WIDTH = 10
"""Terminal columns of a bar."""


class Jobs:
    """All work that is going on, by name.

    Args:
        changed: Called when there is something else to show, at most once a `FRAME`.
    """

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._states: dict[str, tuple[int, int]] = {}
        self._last = 0.0

    def tell(self, name: str, done: int = 0, total: int = 0) -> None:
        """Says how far something is, in bytes; a total of 0 is unknown."""
        first = name not in self._states
        self._states[name] = (done, total)
        if first or monotonic() - self._last >= FRAME:
            self._last = monotonic()
            self._changed()

    def end(self, name: str) -> None:
        """Says that it is over."""
        if self._states.pop(name, None) is not None:
            self._changed()

    def __contains__(self, name: str) -> bool:
        """Whether something of that name is going on."""
        return name in self._states

    @property
    def shown(self) -> Cell:
        """The oldest of them with its bar, and how many others there are."""
        if not self._states:
            return EMPTY
        name, (done, total) = next(iter(self._states.items()))
        others = f" +{len(self._states) - 1}" if len(self._states) > 1 else ""
        return (*cell(f"{name} ", "text"), *bar(done, total), *cell(others, "dim"))


def jobs_of(app: App[Any]) -> Cell:
    """Returns what is going on in an app."""
    found = getattr(app, "jobs", None)
    return found.shown if isinstance(found, Jobs) else EMPTY


def bar(done: int, total: int) -> Cell:
    """Draws a bar where the total is known, else how much is done."""
    if total <= 0:
        return cell(compact_size(done) if done else "…", "accent")
    full = min(WIDTH, done * WIDTH // total)
    return (
        Span("▰" * full, "accent"),
        Span("▱" * (WIDTH - full), "faint"),
        Span(f" {min(100, done * 100 // total):3d}%", "dim"),
    )
