"""The engine's live events."""

from __future__ import annotations

from pyd_core.client.gap import Gap
from pyd_tui.dashboard.engines.timeline import EventItem
from pyd_tui.dashboard.render.events import event_line
from pyd_tui.dashboard.render.figures import Clock
from pyd_tui.dashboard.render.logs import gap
from pyd_tui.dashboard.render.pieces import Cell
from pyd_tui.dashboard.widgets.lines import LineList


class Events(LineList[EventItem]):
    """A list of events, newest last.

    Args:
        clock: The clock.
        of_container: Whether they are those of one container, which the screen names.
        id: The widget's name.
    """

    can_follow = True

    def __init__(self, clock: Clock, *, of_container: bool = False, id: str) -> None:
        super().__init__(self._line, following=True, empty="no events since pyd was opened", id=id)
        self._clock = clock
        self._of_container = of_container

    def _line(self, item: EventItem) -> Cell:
        if isinstance(item, Gap):
            return gap(item)
        return event_line(item, self._clock, times=self.times, of_container=self._of_container)
