"""The user's choice of columns, by view: from the settings, changed in a dialog, saved in the settings file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pyd_core.errors import ConfigError
from pyd_tui.dashboard.render.layout import LayoutColumn, choose_columns

if TYPE_CHECKING:
    from pyd_tui.dashboard.screens.host import ScreenHost


class ColumnChoice:
    """Knows which columns each view shows.

    Args:
        settings: The columns by view, as the settings have them.
        path: The settings file; None saves nothing.
    """

    def __init__(self, settings: Mapping[str, Sequence[str]], path: Path | None) -> None:
        self._chosen = {view: tuple(names) for view, names in settings.items()}
        self._path = path

    def of(self, view: str) -> tuple[str, ...]:
        """Return the names of a view's columns, in order; empty shows all."""
        return self._chosen.get(view, ())

    def choose(self, view: str, names: Sequence[str]) -> None:
        """Set the columns of a view, and save them.

        Raises:
            ConfigError: They can't be saved; they hold until the dashboard ends.
        """
        self._chosen[view] = tuple(names)
        if self._path is not None:
            from pyd_tui.config.columns_edit import save_columns  # noqa: PLC0415 - on first use

            save_columns(self._path, view, names)


def ask_columns(
    dashboard: ScreenHost, view: str, columns: Sequence[LayoutColumn], show: Callable[[Sequence[str]], None]
) -> None:
    """Let the user choose the columns of a view.

    Args:
        dashboard: The app.
        view: The view.
        columns: All columns that can be chosen.
        show: Shows the columns of these names; none is all.
    """
    from pyd_tui.dashboard.screens.columns import ColumnChooser  # noqa: PLC0415 - on first use

    def chosen(names: Sequence[str] | None) -> None:
        if names is None:
            return
        natural = tuple(column.key for column in columns)
        names = () if tuple(names) == natural else names
        show(names)
        try:
            dashboard.column_choice.choose(view, names)
        except ConfigError as error:
            dashboard.say(error.message, "warn", error.hint)

    shown = [column.key for column in choose_columns(columns, dashboard.column_choice.of(view))]
    dashboard.push_screen(ColumnChooser(f"Columns of {view}", columns, shown), chosen)
