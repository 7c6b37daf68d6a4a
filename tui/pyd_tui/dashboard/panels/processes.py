"""A container's processes; the one under the cursor gets the signals."""

from __future__ import annotations

from collections.abc import Callable

from pyd_core.errors import Conflict, PydError
from pyd_core.model.container import Processes
from pyd_tui.dashboard.input.keymap import bindings
from pyd_tui.dashboard.panels.searched import SearchableTable
from pyd_tui.dashboard.render.pieces import EMPTY, Cell
from pyd_tui.dashboard.render.processes import ProcessRow, processes


class ProcessesPane(SearchableTable):
    """Shows the engine's last process list; it makes no requests.

    Args:
        kill: Called with the process to send a signal to.
        on_changed: Called when the search or its matches change.
        id: The widget's name.
    """

    BINDINGS = bindings("move", "processes")

    def __init__(self, kill: Callable[[ProcessRow], None], on_changed: Callable[[], None], *, id: str) -> None:
        super().__init__(on_changed, id=id)
        self._kill = kill
        self._listing: Processes | PydError | None = None
        self._header: Cell = EMPTY
        self._processes: dict[str, ProcessRow] = {}

    def set_listing(self, listing: Processes | PydError) -> None:
        """Show a process list; the cursor stays on its process."""
        if listing is self._listing:
            return
        self._listing, self._processes, self._header = listing, {}, EMPTY
        if isinstance(listing, Conflict):  # it has ended, or waits for its restart: no defect of anything
            self.say(("no processes while the container isn't running", "dim"))
        elif isinstance(listing, PydError):
            self.say((listing.message, "bad"), (listing.hint, "dim"))
        else:
            self._header, rows = processes(listing)
            self._processes = {str(row.pid or f"?{number}"): row for number, row in enumerate(rows)}
            self.say(("no processes", "dim"))
        self.put({key: row.line for key, row in self._processes.items()})
        self.repaint(0)
        self._on_changed()

    @property
    def heading(self) -> Cell:
        """The column titles."""
        return self._header

    @property
    def process(self) -> ProcessRow | None:
        """The process under the cursor."""
        return self._processes.get(self.key or "")

    def action_kill(self) -> None:
        """Send a signal to the process under the cursor."""
        if (process := self.process) is not None:
            self._kill(process)
