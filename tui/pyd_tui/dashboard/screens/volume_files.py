"""The screen of the files in a volume."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyd_core.errors import PydError
from pyd_tui.dashboard.input.keymap import bindings
from pyd_tui.dashboard.input.row_labels import NO_FILES
from pyd_tui.dashboard.panels.files import FilesPane
from pyd_tui.dashboard.panels.footer import Footer
from pyd_tui.dashboard.panels.header import Header
from pyd_tui.dashboard.render.pieces import Span, cell
from pyd_tui.dashboard.screens.base import SearchableScreen
from pyd_tui.dashboard.widgets.line import Line
from pyd_tui.dashboard.widgets.prompt import Prompt

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from pyd_tui.dashboard.resources.volume_access import VolumeAccess


class VolumeFiles(SearchableScreen):
    """Browses a volume.

    Args:
        volume: The volume's name; hostile.
        access: The access to its files.
    """

    BINDINGS = bindings("everywhere")

    def __init__(self, volume: str, access: VolumeAccess) -> None:
        super().__init__()
        self._volume = volume
        self._access = access

    def compose(self) -> ComposeResult:
        """Lay out the lines from top to bottom."""
        dashboard = self.dashboard
        yield Header(self.links, dashboard.clock)
        yield Line(id="subject")
        yield FilesPane(dashboard, dashboard.transfers, self._update_status, id="files")
        yield Prompt(id="find")
        yield Footer("files")

    async def on_mount(self) -> None:
        """Read the top directory."""
        self.files = self.query_one(FilesPane)
        self.files.ask = self.ask_find
        self.query_one(Header).update_content()
        self.set_focus(self.files)
        try:
            await self.files.open_volume(self._access.files, self._access.target, self._access.prefix)
        except PydError as error:
            self.files.fail(error)

    @property
    def pane(self) -> FilesPane:
        """The files."""
        return self.files

    def _update_status(self) -> None:
        name = (Span("Volume  ", "title"), *cell(self._volume, "strong"))
        self.query_one("#subject", Line).put(name, self.query_one(FilesPane).status)
        self.query_one(Footer).set_row_labels({} if self.query_one(FilesPane).key is not None else NO_FILES)

    def action_back(self) -> None:
        """End a search, else return to the volumes."""
        if not self.end_find():
            self.action_quit()
