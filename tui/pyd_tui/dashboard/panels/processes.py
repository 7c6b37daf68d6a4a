"""A container's processes, one under the cursor, which gets the signals."""

from __future__ import annotations

from collections.abc import Callable

from pyd_core.errors import PydError
from pyd_core.model.container import Processes
from pyd_tui.dashboard.input.keymap import bindings
from pyd_tui.dashboard.panels.searched import SearchableTable
from pyd_tui.dashboard.render.pieces import EMPTY, Cell
from pyd_tui.dashboard.render.processes import ProcessRow, processes


class ProcessesPane(SearchableTable):
    """Shows what the engine answered when it was asked last; asks for nothing itself.

    Args:
        kill: Called with the process that is to get a signal.
        told: Called when what it looks for is another.
        id: The widget's name.
    """

    BINDINGS = bindings("move", "processes")

    def __init__(self, kill: Callable[[ProcessRow], None], told: Callable[[], None], *, id: str) -> None:
        super().__init__(told, id=id)
        self._kill = kill
        self._answer: Processes | PydError | None = None
        self._head: Cell = EMPTY
        self._found: dict[str, ProcessRow] = {}

    def look(self, answer: Processes | PydError) -> None:
        """Show an answer; the cursor stays on its process."""
        if answer is self._answer:
            return
        self._answer, self._found, self._head = answer, {}, EMPTY
        if isinstance(answer, PydError):
            self.say((answer.message, "bad"), (answer.hint, "dim"))
        else:
            self._head, found = processes(answer)
            self._found = {str(one.pid or f"?{number}"): one for number, one in enumerate(found)}
            self.say(("no processes", "dim"))
        self.put({key: one.line for key, one in self._found.items()})
        self.repaint(0)
        self._told()

    @property
    def heading(self) -> Cell:
        """What the columns are called."""
        return self._head

    @property
    def process(self) -> ProcessRow | None:
        """The process under the cursor."""
        return self._found.get(self.key or "")

    def action_kill(self) -> None:
        """Send a signal to the process under the cursor."""
        if (process := self.process) is not None:
            self._kill(process)
