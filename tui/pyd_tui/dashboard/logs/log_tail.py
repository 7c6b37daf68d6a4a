"""The end of one container's log, followed while it is looked at."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pyd_tui.dashboard.engines.target import RowTarget
from pyd_tui.dashboard.logs.logbook import TAIL, Logbook
from pyd_tui.dashboard.panels.logview import FRAME_INTERVAL_S

if TYPE_CHECKING:
    from textual.timer import Timer

    from pyd_core.logs.annotation import Annotation
    from pyd_tui.dashboard.engines.connection import EngineConnection
    from pyd_tui.dashboard.protocols import Timers

MEMORY = 8 * 2**20
"""Bytes held of the log under the list; its own screen holds more."""


class LogTail:
    """Follows one log at a time, and has what came painted once a frame.

    Args:
        now: Returns the time in nanoseconds since the epoch.
        logged: Called once a frame when there is more to show.
    """

    def __init__(self, now: Callable[[], int], logged: Callable[[], None]) -> None:
        self._now = now
        self._logged = logged
        self._frames: Timer | None = None
        self.target: RowTarget | None = None
        """Whose log it is."""
        self.shown: RowTarget | None = None
        """Whose log the screens were told to show: that of before until the next frame, so that a log that answers by
        then is painted over the other at once."""
        self.book = self._open(None)
        """What there is of it."""

    def begin(self, timers: Timers) -> None:
        """The app has a loop from now on."""
        self._frames = timers.set_interval(FRAME_INTERVAL_S, self._show, pause=True)

    async def follow(self, target: RowTarget | None) -> None:
        """Follow a container's log from now on; None follows nothing."""
        before = self.book
        if target != self.target or (target is not None and not before.reading):
            self.target = target
            book = self.book = self._open(target)
            await before.aclose()
            if book is not self.book:
                return  # the cursor has moved on meanwhile
            if self._frames is not None:
                self._frames.reset()
            await book.read(TAIL, target.link.known_marks(book.containers) if target is not None else ())
        else:
            self.changed()

    def changed(self) -> None:
        """There is more of a log to show, at the next frame."""
        if self._frames is not None:
            self._frames.resume()

    async def aclose(self) -> None:
        """End it."""
        await self.book.aclose()

    def mark(self, link: EngineConnection, mark: Annotation) -> None:
        """Take note of something that happened on an engine."""
        if self.target is not None and self.target.link is link:
            self.book.mark(mark)

    def _open(self, target: RowTarget | None) -> Logbook:
        sources = {target.id: target.link.engine} if target is not None else {}
        return Logbook(sources, self.changed, self._now, memory=MEMORY, disk=0)

    def _show(self) -> None:
        if self._frames is not None:
            self._frames.pause()
        self.shown = self.target
        self._logged()
