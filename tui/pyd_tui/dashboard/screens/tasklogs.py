"""The logs of a swarm's tasks, on whichever nodes they run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pyd_tui.dashboard.engines.connection import EngineConnection
from pyd_tui.dashboard.engines.target import RowTarget
from pyd_tui.dashboard.logs.logbook import Logbook
from pyd_tui.dashboard.render.logrow import source_labels
from pyd_tui.dashboard.render.pieces import Cell, cell
from pyd_tui.dashboard.screens.logs import LogScreen


class TaskLogs(LogScreen):
    """As logs of containers, but through the swarm's manager.

    Args:
        link: The manager.
        title: Whose they are.
        tasks: Names of the tasks by their ids.
    """

    def __init__(self, link: EngineConnection, title: str, tasks: Mapping[str, str]) -> None:
        super().__init__([RowTarget(link, task) for task in tasks])
        self._title_text = title
        self.sources.names = dict(tasks)

    @property
    def target(self) -> RowTarget | None:
        """A task is no container of this engine."""
        return None

    def open_book(self) -> Logbook:
        """Returns what their lines are read into."""
        dashboard = self.dashboard
        changed, now = dashboard.tail.changed, dashboard.clock.now
        return Logbook(self.sources.engines, changed, now, tasks=self.sources.names)

    def refresh_names(self) -> None:
        """Tells several tasks from each other by their names."""
        if len(self.keys) > 1:
            self.view.log_style = replace(self.view.log_style, labels=source_labels(self.sources.names))

    def subject(self) -> Cell:
        """Says whose log it is."""
        count = f"  {len(self.keys)} tasks" if len(self.keys) > 1 else ""
        return (*cell(self._title_text, "strong"), *cell(count, "dim"))
