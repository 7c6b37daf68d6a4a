"""`pyd` without a verb: the dashboard."""

from __future__ import annotations

from pyd_core.fleet.history_path import path_unless_off
from pyd_tui.cli.state import State
from pyd_tui.config.settings import ThemeName


def open_dashboard(state: State, *, theme: ThemeName | None = None, view: str = "", filter: str = "") -> None:
    """Opens the full-screen dashboard on the engine the options name, which writes deaths down while it is open.

    Args:
        state: The global options.
        theme: Colours for this time.
        view: The view to open.
        filter: The filter to begin with.
    """
    from pyd_tui.dashboard.beginning import Wishes  # noqa: PLC0415 - verbs don't pay for it
    from pyd_tui.dashboard.start import run  # noqa: PLC0415 - likewise

    run(state.endpoint, Wishes(theme=theme, view=view, filter=filter), history=path_unless_off())
