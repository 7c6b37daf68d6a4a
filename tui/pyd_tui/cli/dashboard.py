"""`pyd` without a verb: the dashboard."""

from __future__ import annotations

from pyd_core.fleet.history_path import path_unless_off
from pyd_tui.cli.state import State


def open_dashboard(state: State) -> None:
    """Opens the full-screen dashboard on the engine the options name."""
    from pyd_tui.dashboard.start import run  # noqa: PLC0415 - textual is heavy

    run(state.endpoint, history=path_unless_off())
