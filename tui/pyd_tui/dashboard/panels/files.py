"""A container's files: one directory as a table, read from the container only while shown."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from pyd_core.client.provider import engine_of
from pyd_core.errors import NotFound, PydError
from pyd_core.files.entry import DirectoryListing, FileEntry, join_path
from pyd_core.model.container import FileChange
from pyd_core.sanitise import safe
from pyd_tui.dashboard.input.keymap import bindings
from pyd_tui.dashboard.render.figures import counted
from pyd_tui.dashboard.render.files import COLUMNS, file_name, file_row
from pyd_tui.dashboard.render.pieces import EMPTY, Cell, Span, cell, slide, width
from pyd_tui.dashboard.widgets.table import Table

if TYPE_CHECKING:
    from pyd_core.files.entry import Files
    from pyd_tui.dashboard.engines.target import RowTarget
    from pyd_tui.dashboard.protocols import FileActions, FileHost

MAX_FILE_BYTES = 1 << 20
"""Shown of a file; a download gets all of it."""
UP = ".."
"""The key of the row that leads to the parent directory; no entry can have this name."""


class FilesPane(Table[str]):
    """A browser of directories.

    Args:
        host: Runs its tasks, and shows files and messages.
        actions: Copies paths and downloads files.
        on_changed: Called when the listing changes.
        id: The widget's name.
    """

    SLIDES = "name"
    BINDINGS = bindings("move", "files")

    def __init__(self, host: FileHost, actions: FileActions, on_changed: Callable[[], None], *, id: str) -> None:
        super().__init__(COLUMNS, self._row_cells, id=id)
        self._host = host
        self._actions = actions
        self._on_changed = on_changed
        self._entries: dict[str, FileEntry] = {}
        self._listing: DirectoryListing | None = None
        self._changes: dict[str, int] = {}
        self._error: PydError | None = None
        self._previous_name = ""
        self._target: RowTarget | None = None
        self._prefix = ""
        """The path in the container of what is `/` here."""
        self.files: Files | None = None
        self.directory = "/"
        self.query_text = ""
        self.ask: Callable[[], None] = lambda: None
        """Let the user type a filter."""
        self.say(("reading", "dim"))

    # Content

    async def open(self, target: RowTarget) -> None:
        """Open a container's files in the best available way, and read how they differ from its image."""
        from pyd_core.files.choice import open_files  # noqa: PLC0415 - only when files are looked at

        self._target, engine = target, target.engine
        self.files = await open_files(engine, await engine.containers.inspect(target.id))
        await self.load(self.directory)
        try:
            self._take_changes(await engine_of(engine).containers.changes(target.id))
        except PydError:
            return  # the files are shown all the same
        self.sync()

    async def open_volume(self, files: Files, target: RowTarget | None, prefix: str) -> None:
        """Open the files of a volume.

        Args:
            files: The access to them.
            target: A container that mounts the volume, for downloads; None if none does.
            prefix: The path of the volume in that container.
        """
        self.files, self._target, self._prefix = files, target, prefix
        await self.load(self.directory)

    async def load(self, directory: str) -> None:
        """Read a directory."""
        if self.files is None:
            return
        before = self.directory
        try:
            self._listing = await self.files.list(directory)
            self._error = None
        except PydError as error:
            self.fail(error)
            return  # the old listing stays
        self._previous_name = before.rpartition("/")[2] if posixpath.dirname(before) == directory else ""
        self.directory = directory
        self.query_text = ""
        self.left = 0
        self._show()

    def fail(self, error: PydError) -> None:
        """Report why a directory can't be read."""
        self._error = error
        self.say((error.message, "bad"), (error.hint, "dim"))
        self._on_changed()

    def _take_changes(self, changes: list[FileChange]) -> None:
        for change in changes:
            self._changes[change.path] = change.kind

    def _show(self) -> None:
        entries = self._listing.entries if self._listing is not None else ()
        query = self.query_text.casefold()
        self._entries = {entry.name: entry for entry in entries if query in entry.name.casefold()}
        keys = [*([UP] if self.directory != "/" else []), *self._entries]
        name_width = max((width(file_name(entry)) for entry in self._entries.values()), default=20)
        content_widths = {"change": 1, "name": name_width, "size": 5, "mode": 10, "owner": 7, "modified": 8}
        self.set_rows(keys, content_widths)
        self.say(("the directory is empty" if not entries else "no name matches", "dim"))
        self.go_to(self._previous_name if self._previous_name in self._entries else next(iter(self._entries), UP))
        self.refresh()
        self._on_changed()

    def _row_cells(self, key: str) -> tuple[Cell, ...]:
        if key == UP:
            return EMPTY, (Span("..", "dim"),), EMPTY, EMPTY, EMPTY, EMPTY
        entry = self._entries.get(key)
        if entry is None:
            return (EMPTY,) * len(COLUMNS)
        changed, name, *others = file_row(entry, self._changes.get(join_path(self.directory, key)), self._host.clock)
        return changed, slide(name, self.left), *others

    @property
    def status(self) -> Cell:
        """The directory, its number of entries, and the way it is read."""
        if self._listing is None or self.files is None:
            return EMPTY
        if self._error is not None:
            return cell(self._error.message, "bad")
        count = len(self._listing.entries)
        total = counted(count, "entry", "entries")
        shown = f"{len(self._entries):,} of {total}" if self.query_text else total
        incomplete = "" if self._listing.complete else ", incomplete"
        return (*cell(self.directory, "strong"), *cell(f"  {shown}{incomplete}  {self.files.way}", "dim"))

    @property
    def path(self) -> str | None:
        """The path under the cursor."""
        return None if self.key in {None, UP} else join_path(self.directory, self.key or "")

    # Key actions

    def find(self, text: str) -> None:
        """Narrow to names that contain a text."""
        self.query_text = text
        self._show()

    def action_find(self) -> None:
        """Ask for a filter."""
        self.ask()

    def action_enter(self) -> None:
        """Open the directory under the cursor, or shows the file."""
        entry = self._entries.get(self.key or "")
        if self.key == UP:
            self.action_leave()
        elif entry is None:
            return
        elif entry.kind == "directory":
            self._start(self.load(join_path(self.directory, entry.name)))
        elif entry.kind == "file":
            self._start(self._view(join_path(self.directory, entry.name)))
        elif entry.kind == "link":
            self._start(self._follow(join_path(self.directory, entry.name)))
        else:
            self._host.say(f"{safe(entry.name)} is a {entry.kind}", "warn", "its content can't be shown")

    def action_leave(self) -> None:
        """Go to the parent directory."""
        if self.directory != "/":
            self._start(self.load(posixpath.dirname(self.directory)))

    def action_copy_path(self) -> None:
        """Copy the path under the cursor."""
        self._actions.copy(self.path or self.directory)

    def action_download(self) -> None:
        """Download the file or directory under the cursor, or the current directory."""
        if self._target is None:
            self._host.say("no container mounts it", "warn", "only files of containers can be downloaded")
        else:
            self._actions.download(self._target, self._prefix + (self.path or self.directory))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        self._host.tasks.start(work, name="files")

    async def _follow(self, path: str) -> None:
        """Open a link's target, a directory or a file."""
        if self.files is None:
            return
        try:
            await self.files.list(path)
        except NotFound:
            await self._view(path)
        else:
            await self.load(path)

    async def _view(self, path: str) -> None:
        if self.files is not None:
            data = await self.files.read(path, MAX_FILE_BYTES + 1)
            self._host.open_file(self._target, self._prefix + path, data)
