"""The strip above the list: how many containers are broken, and why the worst are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.message import Message

from pyd_tui.dashboard.input.key_bindings import keys_of
from pyd_tui.dashboard.render.pieces import EMPTY, Cell
from pyd_tui.dashboard.render.problems import problem_line
from pyd_tui.dashboard.widgets.line import Line

if TYPE_CHECKING:
    from pyd_core.errors import PydError
    from pyd_core.triage.verdict import Verdict
    from pyd_core.watch.container_info import ContainerInfo
    from pyd_tui.dashboard.engines.target import RowTarget

MAX_SHOWN = 3
"""Containers named in the strip."""

Problem = tuple["RowTarget", "ContainerInfo", "Verdict | PydError | None"]
"""A broken container, and the answer about it so far."""


class ProblemStrip(Line):
    """Names the worst containers in one line, and hides while none is broken."""

    DEFAULT_CSS = "ProblemStrip { display: none; }"

    class Clicked(Message):
        """A container in the strip was clicked; None is the count."""

        def __init__(self, index: int | None) -> None:
            super().__init__()
            self.index = index

    def __init__(self) -> None:
        super().__init__(id="problems")
        self._count = 0
        self.worst: Sequence[Problem] = ()
        """The worst containers, the worst first."""
        self._hits: list[tuple[int | None, int, int]] = []

    def show(self, count: int, worst: Sequence[Problem]) -> None:
        """Show the number of broken containers and the worst of them."""
        shown = (count, [(target.id, entry.name, answer) for target, entry, answer in worst])
        before = (self._count, [(target.id, entry.name, answer) for target, entry, answer in self.worst])
        self._count, self.worst = count, tuple(worst)
        self.display = count > 0
        if shown != before:
            self.repaint_line()

    def content(self, room: int) -> tuple[Cell, Cell]:
        """Return the count with its key, and as many containers as fit."""
        if not self._count:
            return EMPTY, EMPTY
        keys = {key.name: " ".join(key.keys).upper() for key in keys_of(self.app).of("containers") if key.keys}
        names = [keys.get(name, "") for name in ("worst", "second-worst", "third-worst")]
        filter_key = next((key.shown for key in keys_of(self.app).of("containers") if key.name == "toggle-broken"), "")
        line, self._hits = problem_line(
            self._count, [(entry, answer) for _, entry, answer in self.worst], filter_key, names, room
        )
        return line, EMPTY

    def clicked(self, x: int) -> None:
        """Ask the screen to open what was clicked."""
        for index, start, end in self._hits:
            if start <= x < end:
                self.post_message(self.Clicked(index))
                return
