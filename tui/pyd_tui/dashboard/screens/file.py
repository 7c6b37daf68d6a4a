"""One file of a container on the whole screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on

from pyd_core.humanize import compact_size
from pyd_core.sanitise import safe
from pyd_tui.dashboard.input.keymap import bindings
from pyd_tui.dashboard.panels.files import MAX_FILE_BYTES
from pyd_tui.dashboard.panels.footer import Footer
from pyd_tui.dashboard.render.figures import counted
from pyd_tui.dashboard.render.files import file_lines, is_binary
from pyd_tui.dashboard.render.pieces import EMPTY, Cell, Span, cell
from pyd_tui.dashboard.screens.base import SearchableScreen
from pyd_tui.dashboard.widgets.line import Line
from pyd_tui.dashboard.widgets.lines import Fixed, LineList
from pyd_tui.dashboard.widgets.prompt import Prompt

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from pyd_tui.dashboard.engines.target import RowTarget


class FileScreen(SearchableScreen):
    """Text highlighted, anything else in hexadecimal.

    Args:
        target: The container.
        path: The file's path in it.
        data: Its beginning; a byte more than `MAX_FILE_BYTES` says that there is more.
    """

    BINDINGS = bindings("file", "everywhere")

    def __init__(self, target: RowTarget, path: str, data: bytes) -> None:
        super().__init__()
        self._target = target
        self._path = path
        self._more = len(data) > MAX_FILE_BYTES
        self._data = data[:MAX_FILE_BYTES]

    def compose(self) -> ComposeResult:
        """The lines from top to bottom."""
        yield Line(id="title")
        lines: LineList[Cell] = LineList(lambda line: line, empty="it is empty", id="file")
        yield lines
        yield Prompt(id="find")
        yield Footer("file")

    def on_mount(self) -> None:
        """Lays the file out."""
        self.pane.ask = self.ask_find
        if self._data:
            self.pane.show(Fixed(file_lines(safe(self._path.rpartition("/")[2]), self._data)))
        self._tell()
        self.set_focus(self.pane)

    @property
    def target(self) -> RowTarget | None:
        """The container it is a file of."""
        return self._target

    @property
    def pane(self) -> LineList[Cell]:
        """Its lines."""
        return self.query_one(LineList)

    @on(LineList.Changed)
    def _tell(self) -> None:
        what = "binary" if is_binary(self._data) else counted(self.pane.count, "line")
        amount = f"the first {compact_size(len(self._data))}" if self._more else compact_size(len(self._data))
        said = cell(f"{what}  {amount}", "warn" if self._more else "dim")
        status = self.pane.search_status
        self.query_one("#title", Line).put(
            cell(self._path, "strong"), (*status, Span("  "), *said) if status != EMPTY else said
        )

    def action_copy_path(self) -> None:
        """Copies the path."""
        self.dashboard.errands.copy(self._path)

    def action_download(self) -> None:
        """Takes the file to this machine."""
        self.dashboard.errands.download(self._target, self._path)

    def action_back(self) -> None:
        """Ends a search, else goes back to the directory."""
        if not self.end_find():
            self.action_quit()
