"""The actions on the rows of a view: on the one under the cursor, or on all marked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING

from pyd_tui.dashboard.actions.removal import BulkRemoval
from pyd_tui.dashboard.actions.row_commands import RowCommands
from pyd_tui.dashboard.engines.detail_loader import DetailLoader
from pyd_tui.dashboard.engines.row_loader import RowLoader
from pyd_tui.dashboard.input.command_call import CommandCall
from pyd_tui.dashboard.panels.footer import Footer
from pyd_tui.dashboard.resources.base import LoadContext, PruneCandidate, ResourceView, Row
from pyd_tui.dashboard.screens.view import ViewScreen
from pyd_tui.dashboard.widgets.table import Table

if TYPE_CHECKING:
    from pyd_tui.dashboard.engines.connection import EngineConnection
    from pyd_tui.dashboard.resources.volume_access import VolumeAccess


class RowActionsScreen(ViewScreen):
    """A view whose rows are objects of a resource; once mounted, it has the table and what loads it."""

    resource: ResourceView
    table: Table[str]
    footer: Footer
    _load_context: LoadContext
    _loader: RowLoader
    _details: DetailLoader
    _removal: BulkRemoval
    _commands: RowCommands
    _lacks: frozenset[str]

    @property
    def _row(self) -> Row | None:
        """The row under the cursor."""
        raise NotImplementedError

    @property
    def _selected(self) -> list[Row]:
        """The marked rows, else the one under the cursor."""
        raise NotImplementedError

    def _show_status(self, text: str) -> None:
        """Show the state of a load next to the name of the row."""
        raise NotImplementedError

    def action_menu(self) -> None:
        """Show what can be done to the row under the cursor, or to all marked."""
        from pyd_tui.dashboard.actions.row_menu import row_entries  # noqa: PLC0415 - on first use
        from pyd_tui.dashboard.screens.menu import Menu, perform  # noqa: PLC0415 - on first use

        rows = self._selected
        if not rows:
            return
        offered = {key.action: key.shown if key.keys else "" for key in self.dashboard.keys.of("browse")}
        run = {name: getattr(self, f"action_{name}") for name in offered if name not in self._lacks | {"menu"}}
        entries = row_entries(self.resource, offered, run, count=len(rows))
        if len(rows) == 1:
            entries[1:1] = self._commands.entries(rows[0])
        title = rows[0].name if len(rows) == 1 else f"{len(rows)} {self.resource.name}"
        self.app.push_screen(Menu(title, [*entries, *self.own_entries()]), perform)

    def own_subjects(self) -> tuple[EngineConnection, list[Mapping[str, str]]]:
        """Return the marked rows, else the one under the cursor."""
        from pyd_tui.dashboard.actions.user_commands import values  # noqa: PLC0415 - on first use

        rows = self._selected
        subjects = [{**values(None), "name": row.name, "id": row.key} for row in rows]
        return self._load_context.link, [*subjects] or [values(None)]

    def action_pull(self) -> None:
        """Pull the image under the cursor again, after asking."""
        if (row := self._row) is not None:
            self.dashboard.container_actions.pull(self._load_context.link, row.name)

    def action_files(self) -> None:
        """Open the files of the row's volume, or inspect the layers of its image."""
        if (row := self._row) is None:
            return
        if self.resource.files is not None:
            self.dashboard.tasks.start(self._open_files(self.resource.files, row), name="files")
        elif self.resource.inspect_layers is not None:
            self.dashboard.tasks.start(self._inspect_layers(self.resource.inspect_layers, row), name="inspect layers")

    async def _open_files(self, files: Callable[[LoadContext, Row], Awaitable[VolumeAccess]], row: Row) -> None:
        from pyd_tui.dashboard.screens.volume_files import VolumeFiles  # noqa: PLC0415 - on first use

        self.app.push_screen(VolumeFiles(row.name, await files(self._load_context, row)))

    async def _inspect_layers(
        self, inspect_layers: Callable[[LoadContext, Row, Callable[[str], None]], Awaitable[None]], row: Row
    ) -> None:
        try:
            await inspect_layers(
                self._load_context, row, lambda text: self._show_status(text) if self.is_attached else None
            )
        finally:
            if self.is_attached:
                self._show_status("")
        if self._row is row:
            await self._details.load(row)

    def action_debug(self) -> None:
        """Open a shell with tools in the row's object."""
        from pyd_tui.dashboard.actions.suspend import debug_row  # noqa: PLC0415 - on first use

        if (row := self._row) is not None and self.resource.debug is not None:
            work = debug_row(self.dashboard, self._load_context.link, self.resource.debug(row), row.name)
            self.dashboard.tasks.start(work, name="debug")

    def action_logs(self) -> None:
        """Open the logs of the row."""
        if (row := self._row) is not None and self.resource.logs is not None:
            self.dashboard.tasks.start(self._open_logs(self.resource.logs, row), name="logs")

    async def _open_logs(self, logs: Callable[[LoadContext, Row], Awaitable[dict[str, str]]], row: Row) -> None:
        from pyd_tui.dashboard.screens.tasklogs import TaskLogs  # noqa: PLC0415 - only for a swarm

        if tasks := await logs(self._load_context, row):
            self.app.push_screen(TaskLogs(self._load_context.link, row.name, tasks))
        else:
            self.footer.say(f"no task of {row.name} has started yet", "warn")

    def action_save(self) -> None:
        """Save the marked images, or the one under the cursor, to a file."""
        if names := [row.name for row in self._selected]:
            self.dashboard.transfers.save_images(self._load_context.engine, names)

    def action_remove(self) -> None:
        """Remove the marked rows, or the one under the cursor, after confirmation."""
        remove, rows = self.resource.remove, self._selected
        if remove is None or not rows or not self.dashboard.may_change():
            return
        what = rows[0].name if len(rows) == 1 else f"{len(rows)} {self.resource.name}"
        candidates = [PruneCandidate(row.name, None, lambda engine, row=row: remove(engine, row)) for row in rows]  # type: ignore[misc]
        self._removal.ask(f"Remove {what}?", candidates)

    def action_prune(self) -> None:
        """Remove unused objects, after listing them and asking."""
        row = self._row
        prunable = self.resource.waste is not None and (row is not None or self.resource.name != "system")
        if prunable and self.dashboard.may_change():
            self.dashboard.tasks.start(self._removal.prune(self.resource, row), name="prune")

    def _removed(self, *, succeeded: bool) -> None:
        if succeeded:
            self.table.clear_marks()
        self._loader.load(measure=self.resource.measures_on_open)

    def run(self, call: CommandCall) -> None:
        """Run a typed command on this view."""
        if call.verb == "prune":
            self.action_prune()
        elif not ((row := self._row) is not None and self._commands.run(call, row)):
            super().run(call)
