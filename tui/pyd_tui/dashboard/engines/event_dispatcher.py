"""The dispatch of engine events to the screens that show them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from pyd_core.logs.annotation import annotation_from
from pyd_core.watch.delta import Delta
from pyd_tui.dashboard.engines.connection import EngineConnection
from pyd_tui.dashboard.protocols import EngineListener, EngineRegistry, Notifier, Timers

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from textual.timer import Timer

    from pyd_core.tasks import TaskOwner
    from pyd_tui.dashboard.logs.log_tail import LogTail


class DispatcherHost(Notifier, EngineRegistry, Timers, Protocol):
    """The app as the dispatcher sees it."""

    @property
    def live_screens(self) -> Sequence[EngineListener]:
        """The screens that follow events, the one on top last; empty while the app ends."""
        ...

    @property
    def tail(self) -> LogTail:
        """The followed log of the container under the cursor."""
        ...

    @property
    def tasks(self) -> TaskOwner:
        """The owner of background tasks."""
        ...

    def refresh_bars(self) -> None:
        """Update the line of views and the footer of the top screen."""


class EventDispatcher:
    """Passes changes, figures and verdicts to screens, and reports once when an engine is lost or back.

    Args:
        dashboard: The app.
        history: The file that records deaths; None records none.
    """

    def __init__(self, dashboard: DispatcherHost, history: Path | None) -> None:
        self._dashboard = dashboard
        self._history = history
        self._ages: Timer | None = None

    def start(self) -> None:
        """Set up the timer, once the app has an event loop."""
        self._ages = self._dashboard.set_interval(1.0, self._tick, pause=True)

    def changed(self, link: EngineConnection, delta: Delta, *, happened: bool) -> None:
        """Pass on a change of an engine."""
        dashboard = self._dashboard
        self._record(link)
        dashboard.refresh_bars()
        for event in delta.events:
            if (mark := annotation_from(event)) is not None:
                dashboard.tail.mark(link, mark)
        screens = dashboard.live_screens
        for screen in screens:
            if link in screen.links:
                screen.changed(link, delta, happened=happened)
            elif screen is screens[-1]:
                screen.on_other_engine_changed()
        if link in dashboard.in_sight:
            self._connection_changed(link)

    def measured(self, link: EngineConnection) -> None:
        """Pass on new figures."""
        dashboard = self._dashboard
        for screen in dashboard.live_screens[-1:]:
            if link in screen.links:
                screen.measured()

    def judged(self) -> None:
        """Pass on a new verdict."""
        for screen in self._dashboard.live_screens:
            screen.judged()

    def update_age_timer(self) -> None:
        """Run the timer that updates the age of the data, as long as an engine is lost."""
        if self._ages is not None:
            lost = any(link.connection.state == "lost" for link in self._dashboard.in_sight)
            (self._ages.resume if lost else self._ages.pause)()

    def _connection_changed(self, link: EngineConnection) -> None:
        """Report once that an engine is lost, and why, and show the age of its data from then on."""
        name = f"{link.label}: " if len(self._dashboard.in_sight) > 1 else ""
        connection, before = link.connection, link.reported_state
        if connection.state == before:
            return
        link.reported_state = connection.state
        self.update_age_timer()
        if connection.state == "lost" and connection.error is not None and link.containers:
            self._dashboard.say(f"{name}{connection.error.message}", "bad", connection.error.hint)
        elif connection.state == "live" and before == "lost":
            self._dashboard.say(f"{name}connected again", "good")

    def _record(self, link: EngineConnection) -> None:
        """Record the deaths on an engine from its first list on."""
        if self._history is None or link.recorded or link.connection.state != "live":
            return
        from pyd_tui.dashboard.engines.death_recording import record  # noqa: PLC0415 - after the first list

        link.recorded = True
        recording = record(link, self._history, lambda text: self._dashboard.say(text, "warn"))
        self._dashboard.tasks.start(recording, name="recording")

    def _tick(self) -> None:
        for screen in self._dashboard.live_screens[-1:]:
            screen.ticked()
