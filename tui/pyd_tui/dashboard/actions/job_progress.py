"""Progress bars of long-running work."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import TYPE_CHECKING, Any

from pyd_core.humanize import compact_size
from pyd_tui.dashboard.render.pieces import EMPTY, Cell, Span, cell

if TYPE_CHECKING:
    from textual.app import App

FRAME_INTERVAL_S = 0.2
"""The interval between two paints of a bar: over a slow terminal line each costs time."""
BAR_COLUMNS = 10
"""The width of a bar."""


class Jobs:
    """All running work, by name.

    Args:
        changed: Called when the progress has changed, at most once per `FRAME_INTERVAL_S`.
    """

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._states: dict[str, tuple[int, int]] = {}
        self._last = 0.0

    def update(self, name: str, done: int = 0, total: int = 0) -> None:
        """Set the progress of a job, in bytes; a total of 0 is unknown."""
        first = name not in self._states
        self._states[name] = (done, total)
        if first or monotonic() - self._last >= FRAME_INTERVAL_S:
            self._last = monotonic()
            self._changed()

    def end(self, name: str) -> None:
        """End a job."""
        if self._states.pop(name, None) is not None:
            self._changed()

    def __contains__(self, name: str) -> bool:
        """Return whether a job of that name is running."""
        return name in self._states

    @property
    def shown(self) -> Cell:
        """The oldest job with its bar, and the number of others."""
        if not self._states:
            return EMPTY
        name, (done, total) = next(iter(self._states.items()))
        others = f" +{len(self._states) - 1}" if len(self._states) > 1 else ""
        return (*cell(f"{name} ", "text"), *bar(done, total), *cell(others, "dim"))


def jobs_of(app: App[Any]) -> Cell:
    """Return the running jobs of an app."""
    jobs = getattr(app, "jobs", None)
    return jobs.shown if isinstance(jobs, Jobs) else EMPTY


def bar(done: int, total: int) -> Cell:
    """Return a bar where the total is known, else the amount done."""
    if total <= 0:
        return cell(compact_size(done) if done else "…", "accent")
    full = min(BAR_COLUMNS, done * BAR_COLUMNS // total)
    return (
        Span("▰" * full, "accent"),
        Span("▱" * (BAR_COLUMNS - full), "faint"),
        Span(f" {min(100, done * 100 // total):3d}%", "dim"),
    )
