"""What happens on engines, brought to the screens that show it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyd_core.logs.annotation import mark_of
from pyd_core.watch.delta import Delta
from pyd_tui.dashboard.engines.connection import EngineConnection
from pyd_tui.dashboard.panels.footer import Footer
from pyd_tui.dashboard.panels.views import Views

if TYPE_CHECKING:
    from pathlib import Path

    from textual.timer import Timer

    from pyd_tui.dashboard.app import Dashboard


class EventDispatcher:
    """Tells screens of changes, figures and verdicts, and says once when an engine is lost or back.

    Args:
        dashboard: The app.
        history: Where deaths are written down; None is nowhere.
    """

    def __init__(self, dashboard: Dashboard, history: Path | None) -> None:
        self._dashboard = dashboard
        self._history = history
        self._ages: Timer | None = None

    def begin(self) -> None:
        """The app has a loop from now on."""
        self._ages = self._dashboard.set_interval(1.0, self._tick, pause=True)

    def changed(self, link: EngineConnection, delta: Delta, *, happened: bool) -> None:
        """Something happened on an engine."""
        dashboard = self._dashboard
        self._record(link)
        for views in dashboard.screen.query(Views) if dashboard.screen_stack else ():
            views.look()
        for footer in dashboard.screen.query(Footer) if dashboard.screen_stack else ():
            footer.look()
        for event in delta.events:
            if (mark := mark_of(event)) is not None:
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
        """There are new figures."""
        dashboard = self._dashboard
        for screen in dashboard.live_screens[-1:]:
            if link in screen.links:
                screen.measured()

    def judged(self) -> None:
        """There is a verdict more."""
        for screen in self._dashboard.live_screens:
            screen.judged()

    def tell_age(self) -> None:
        """Has the age of what is shown told as long as it isn't current."""
        if self._ages is not None:
            lost = any(link.connection.state == "lost" for link in self._dashboard.in_sight)
            (self._ages.resume if lost else self._ages.pause)()

    def _connection_changed(self, link: EngineConnection) -> None:
        """Says once that an engine is lost, and why; from then on the age of what is shown has to be told."""
        name = f"{link.label}: " if len(self._dashboard.in_sight) > 1 else ""
        connection, before = link.connection, link.told
        if connection.state == before:
            return
        link.told = connection.state
        self.tell_age()
        if connection.state == "lost" and connection.error is not None and link.containers:
            self._dashboard.say(f"{name}{connection.error.message}", "bad", connection.error.hint)
        elif connection.state == "live" and before == "lost":
            self._dashboard.say(f"{name}connected again", "good")

    def _record(self, link: EngineConnection) -> None:
        """Writes down the deaths on an engine from its first list on."""
        if self._history is None or link.recorded or link.connection.state != "live":
            return
        from pyd_tui.dashboard.engines.death_recording import record  # noqa: PLC0415 - after the first list

        link.recorded = True
        recording = record(link, self._history, lambda text: self._dashboard.say(text, "warn"))
        self._dashboard.tasks.start(recording, name="recording")

    def _tick(self) -> None:
        for screen in self._dashboard.live_screens[-1:]:
            screen.ticked()
