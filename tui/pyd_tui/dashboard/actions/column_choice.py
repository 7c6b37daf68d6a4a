"""The user's choice of columns, by view: from the settings, changed in a dialog, saved in the settings file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path


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
