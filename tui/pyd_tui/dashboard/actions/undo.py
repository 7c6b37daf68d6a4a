"""The offer to undo the last action, for a few seconds."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from pyd_tui.dashboard.input.key_bindings import keys_of
from pyd_tui.dashboard.render.pieces import EMPTY, Cell, Span, cell

if TYPE_CHECKING:
    from textual.app import App
    from textual.timer import Timer

    from pyd_core.tasks import TaskOwner

OFFER_S = 10.0
"""Seconds for which an action can be undone by a key."""


class UndoHost(Protocol):
    """The app, as the offer uses it."""

    @property
    def tasks(self) -> TaskOwner:
        """The owner of background tasks."""
        ...

    def set_timer(self, delay: float, callback: Callable[[], None]) -> Timer:
        """Call a function once, after `delay` seconds."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoOffer:
    """An action that can be undone.

    Attributes:
        done: What was done: `stopped web`.
        effect: What undoing does: `starts it again`.
        run: Undoes it.
    """

    done: str
    effect: str
    run: Callable[[], Coroutine[Any, Any, None]]


class UndoBar:
    """Keeps one offer for `OFFER_S` seconds.

    Args:
        host: Runs the timer and the task.
        changed: Called when the offer appears or ends.
    """

    def __init__(self, host: UndoHost, changed: Callable[[], None]) -> None:
        self._host = host
        self._changed = changed
        self._timer: Timer | None = None
        self.offer: UndoOffer | None = None
        """The current offer."""

    def make(self, offer: UndoOffer) -> None:
        """Offer to undo an action; a former offer ends."""
        self.withdraw()
        self.offer = offer
        self._timer = self._host.set_timer(OFFER_S, self.withdraw)
        self._changed()

    def withdraw(self) -> None:
        """End the offer."""
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        if self.offer is not None:
            self.offer = None
            self._changed()

    def accept(self) -> bool:
        """Undo the action, and return whether there was one."""
        if (offer := self.offer) is None:
            return False
        self.withdraw()
        self._host.tasks.start(offer.run(), name="undo")
        return True


def offer_of(app: App[Any]) -> Cell:
    """Return an app's offer with its key; empty if there is none."""
    bar = getattr(app, "undo_bar", None)
    if not isinstance(bar, UndoBar) or bar.offer is None:
        return EMPTY
    key = next((key.shown for key in keys_of(app).of("everywhere") if key.name == "undo" and key.keys), ":undo")
    return (*cell(bar.offer.done, "good"), Span("  "), Span(key, "accent"), Span(f" {bar.offer.effect}", "text"))
