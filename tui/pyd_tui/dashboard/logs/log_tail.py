"""The end of one container's log, followed while it is shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pyd_tui.dashboard.engines.target import RowTarget
from pyd_tui.dashboard.logs.logbook import Logbook
from pyd_tui.dashboard.logs.sources import Sources, liveness_of
from pyd_tui.dashboard.logs.window import TAIL
from pyd_tui.dashboard.panels.logview import FRAME_INTERVAL_S

if TYPE_CHECKING:
    from textual.timer import Timer

    from pyd_core.logs.annotation import Annotation
    from pyd_tui.dashboard.engines.connection import EngineConnection
    from pyd_tui.dashboard.panels.log_panel import LogPanel
    from pyd_tui.dashboard.protocols import Notifier, Timers
    from pyd_tui.dashboard.render.figures import Clock

MAX_MEMORY_BYTES = 8 * 2**20
"""Bytes held of the log below the list; the log's own screen holds more."""


class LogTail:
    """Follows one log at a time, and has new lines painted once per frame.

    Args:
        now: Returns the time in nanoseconds since the epoch.
        logged: Called once a frame when there is more to show.
    """

    def __init__(self, now: Callable[[], int], logged: Callable[[], None]) -> None:
        self._now = now
        self._logged = logged
        self._frames: Timer | None = None
        self.target: RowTarget | None = None
        """The container whose log it is."""
        self.shown: RowTarget | None = None
        """The container whose log the screens show: the previous one until the next frame, so that a log that arrives
        by then replaces it without a blank in between."""
        self.book = self._open(None)
        """The lines read so far."""

    def start_frames(self, timers: Timers) -> None:
        """Start painting: the app's loop runs."""
        self._frames = timers.set_interval(FRAME_INTERVAL_S, self._show, pause=True)

    async def follow(self, target: RowTarget | None) -> None:
        """Follow a container's log; None follows nothing."""
        before = self.book
        if target != self.target or (target is not None and not before.reading):
            self.target = target
            book = self.book = self._open(target)
            await before.aclose()
            if book is not self.book:
                return  # the cursor has moved on meanwhile
            if self._frames is not None:
                self._frames.reset()
            await book.read(TAIL)
        else:
            self.changed()

    def changed(self) -> None:
        """Schedule painting at the next frame."""
        if self._frames is not None:
            self._frames.resume()

    async def aclose(self) -> None:
        """Stop following."""
        await self.book.aclose()

    def panel(self, host: Notifier, clock: Clock, on_changed: Callable[[], None]) -> LogPanel:
        """Make a panel that shows this log.

        Args:
            host: Shows messages.
            clock: The clock.
            on_changed: Called when the position, the search or the filters change.
        """
        from pyd_tui.dashboard.panels.log_panel import LogPanel  # noqa: PLC0415 - it knows the screens

        return LogPanel(self.book, self._sources, clock, host, on_changed, id="logs")

    def update(self, panel: LogPanel) -> None:
        """Show the lines read so far in a panel."""
        self._sources.refresh_names()
        panel.show(self.book, self._sources)

    def mark(self, link: EngineConnection, mark: Annotation) -> None:
        """Add an annotation for an event of an engine."""
        if self.target is not None and self.target.link is link:
            self.book.mark(mark)

    def _open(self, target: RowTarget | None) -> Logbook:
        self._sources = Sources((target,) if target is not None else ())
        book = Logbook(self._sources.engines, self.changed, self._now, memory=MAX_MEMORY_BYTES, disk=0)
        if target is not None:
            book.known_marks = lambda: target.link.known_marks(book.containers)
            book.liveness = lambda: liveness_of((target,))
        return book

    def _show(self) -> None:
        if self._frames is not None:
            self._frames.pause()
        self.shown = self.target
        self._logged()
