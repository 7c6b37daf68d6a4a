"""A list of containers that filters narrow, in the order and with the columns that the user chooses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from textual import on

from pyd_tui.dashboard.render.containers import COLUMNS
from pyd_tui.dashboard.render.narrowing import active_filters, shown_count
from pyd_tui.dashboard.resources.container_filters import View
from pyd_tui.dashboard.screens.container_list import ContainerListScreen
from pyd_tui.dashboard.widgets.prompt import Prompt
from pyd_tui.dashboard.widgets.table import Table

MODE_COLUMNS = ("engine", "reason")
"""Columns of the merged list and of the list of broken containers, which no choice hides."""
COLUMN_SORTS = {
    "state": "state",
    "name": "name",
    "engine": "engine",
    "cpu": "cpu",
    "trend": "cpu",
    "memory": "memory",
    "since": "since",
    "image": "image",
    "project": "project",
}
"""The order that a click on a column's heading chooses."""


class NarrowedListScreen(ContainerListScreen):
    """A list with a prompt of the id `narrowing`, into which a filter is typed; once mounted, it has the prompt."""

    _filter: Prompt

    def _update(self) -> None:
        """Show what depends on the rows."""
        raise NotImplementedError

    @on(Table.HeadClicked)
    def _head_clicked(self, event: Table.HeadClicked) -> None:
        if (sort := COLUMN_SORTS.get(event.column)) is not None:
            self._narrow(self.table.view.sorted_by(sort))

    def _update_notes(self) -> None:
        """Show which filters hide containers, and whether the order leaves out running ones."""
        view, total = self.table.view, sum(len(link.containers) for link in self.links)
        order = self.table.measured_part
        self._filter.set_notes((*active_filters(view), *order), shown_count(self.table.shown_count, total))
        self._filter.display = view.narrows or bool(order) or self.focused is self._filter

    def action_filter(self) -> None:
        """Let the user type a filter."""
        self._filter.display = True
        self.set_focus(self._filter)

    def action_toggle_all(self) -> None:
        """Show all containers, or only the running ones."""
        self._narrow(replace(self.table.view, running_only=not self.table.view.running_only))

    def action_toggle_broken(self) -> None:
        """Show only containers with problems, or all."""
        self._narrow(replace(self.table.view, broken_only=not self.table.view.broken_only))

    def action_sort(self) -> None:
        """Sort by the next column."""
        view = self.table.view.next_sort()
        self._narrow(view)
        group_hint = ", grouped: enter folds a project, other keys act on all of it" if view.sort == "project" else ""
        self.footer.say(f"sorted by {view.sort}{group_hint}")

    @on(Table.ColumnsRequested)
    def action_columns(self) -> None:
        """Choose the columns."""
        from pyd_tui.dashboard.screens.columns import ask_columns  # noqa: PLC0415 - on first use

        columns = [column for column in COLUMNS if column.key not in MODE_COLUMNS]
        ask_columns(self.dashboard, "containers", columns, self._show_columns)

    def _show_columns(self, names: Sequence[str]) -> None:
        self.table.choose_columns(names, MODE_COLUMNS)

    def action_reverse(self) -> None:
        """Reverse the order."""
        view = self.table.view.sorted_by(self.table.view.sort)
        self._narrow(view)
        self.footer.say(f"sorted by {view.sort}{', reversed' if view.reverse else ''}")

    def action_next_broken(self) -> None:
        """Move the cursor to the next container with a problem."""
        keys = self.table.keys
        following = [*keys[self.table.index + 1 :], *keys[: self.table.index + 1]]
        for key in following:
            if (entry := key.entry) is not None and key.link.is_broken(entry):
                self.table.go_to(key)
                return
        self.footer.say("no container has a problem", "good")

    def action_scale(self) -> None:
        """Show CPU usage in percent of one core, or of what a container may use."""
        view = self.table.view
        for link in self.links:
            link.count_processors()
        self._narrow(replace(view, scale="most" if view.scale == "core" else "core"))
        limit_text = "its CPU limit, or all processors"
        self.footer.say(f"100% is {'one core' if view.scale == 'most' else limit_text}")

    def _narrow(self, view: View) -> None:
        self.table.update_rows(view)
        self._update()

    @on(Prompt.Changed, "#narrowing")
    def _filter_typed(self, event: Prompt.Changed) -> None:
        self._narrow(replace(self.table.view, text=event.text))

    @on(Prompt.Done, "#narrowing")
    def _filter_done(self, event: Prompt.Done) -> None:
        if not event.kept:
            self._filter.set_text("")
            self._narrow(replace(self.table.view, text=""))
        self.set_focus(self.table)
        self._update()


def describe_filters(view: View) -> str:
    """Return the filters in words, for the notice of an empty list."""
    words = [
        *(["is broken"] if view.broken_only else []),
        *(["is running"] if view.running_only else []),
        *([f"matches “{view.text}”"] if view.text else []),
    ]
    return " and ".join(words)
