"""The screen of one file of a container."""

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
    """Shows text highlighted, and anything else in hexadecimal.

    Args:
        target: The container; None for a file of a volume that no container mounts.
        path: The path of the file in the container.
        data: The beginning of the file; one byte more than `MAX_FILE_BYTES` means that there is more.
    """

    BINDINGS = bindings("file", "everywhere")

    def __init__(self, target: RowTarget | None, path: str, data: bytes) -> None:
        super().__init__()
        self._target = target
        self._path = path
        self._more = len(data) > MAX_FILE_BYTES
        self._data = data[:MAX_FILE_BYTES]

    def compose(self) -> ComposeResult:
        """Lay out the lines from top to bottom."""
        yield Line(id="title")
        lines: LineList[Cell] = LineList(lambda line: line, empty="the file is empty", id="file")
        yield lines
        yield Prompt(id="find")
        yield Footer("file")

    def on_mount(self) -> None:
        """Show the file."""
        self.pane.ask = self.ask_find
        if self._data:
            self.pane.show(Fixed(file_lines(safe(self._path.rpartition("/")[2]), self._data)))
        self._update_title()
        self.set_focus(self.pane)

    @property
    def target(self) -> RowTarget | None:
        """The container that the file belongs to."""
        return self._target

    @property
    def pane(self) -> LineList[Cell]:
        """The lines of the file."""
        return self.query_one(LineList)

    @on(LineList.Changed)
    def _update_title(self) -> None:
        what = "binary" if is_binary(self._data) else counted(self.pane.count, "line")
        amount = f"the first {compact_size(len(self._data))}" if self._more else compact_size(len(self._data))
        summary = cell(f"{what}  {amount}", "warn" if self._more else "dim")
        status = self.pane.search_status
        self.query_one("#title", Line).put(
            cell(self._path, "strong"), (*status, Span("  "), *summary) if status != EMPTY else summary
        )

    def action_copy_path(self) -> None:
        """Copy the path."""
        self.dashboard.transfers.copy(self._path)

    def action_download(self) -> None:
        """Download the file."""
        if self._target is None:
            self.dashboard.say("no container mounts it", "warn", "only files of containers can be downloaded")
        else:
            self.dashboard.transfers.download(self._target, self._path)

    def action_back(self) -> None:
        """End a search, else return to the directory."""
        if not self.end_find():
            self.action_quit()
