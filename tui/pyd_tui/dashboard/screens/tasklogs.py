"""The logs of a swarm's tasks, from all nodes."""

from __future__ import annotations

from collections.abc import Mapping

from pyd_tui.dashboard.engines.connection import EngineConnection
from pyd_tui.dashboard.engines.target import RowTarget
from pyd_tui.dashboard.logs.logbook import Liveness, Logbook
from pyd_tui.dashboard.render.logrow import source_labels
from pyd_tui.dashboard.render.pieces import Cell, cell
from pyd_tui.dashboard.screens.logs import LogScreen


class TaskLogs(LogScreen):
    """Shows logs of tasks, which the swarm's manager reads.

    Args:
        link: The connection to the manager.
        title: The name of the service, task or stack.
        tasks: The names of the tasks, by id.
    """

    def __init__(self, link: EngineConnection, title: str, tasks: Mapping[str, str]) -> None:
        super().__init__([RowTarget(link, task) for task in tasks])
        self._title_text = title
        self.sources.names = dict(tasks)

    @property
    def target(self) -> RowTarget | None:
        """None: a task is no container of this engine."""
        return None

    def liveness(self) -> Liveness:
        """Return that new lines may come: the engine doesn't list the containers of tasks on other nodes."""
        return "following"

    def open_book(self) -> Logbook:
        """Return the logbook of their lines."""
        dashboard = self.dashboard
        changed, now = dashboard.tail.changed, dashboard.clock.now
        return Logbook(self.sources.engines, changed, now, tasks=self.sources.names)

    def update_names(self) -> None:
        """Show the names of tasks, where there are several."""
        if len(self.keys) > 1:
            self.panel.show_chips(source_labels(self.sources.names))

    def subject(self) -> Cell:
        """Return the title."""
        count = f"  {len(self.keys)} tasks" if len(self.keys) > 1 else ""
        return (*cell(self._title_text, "strong"), *cell(count, "dim"))
