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
    """A list of events, newest last."""

    can_follow = True

    def __init__(self, clock: Clock, *, id: str) -> None:
        super().__init__(self._line, following=True, empty="no events since pyd was opened", id=id)
        self._clock = clock

    def _line(self, item: EventItem) -> Cell:
        return gap(item) if isinstance(item, Gap) else event_line(item, self._clock, times=self.times)
