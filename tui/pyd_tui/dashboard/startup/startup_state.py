"""The settings and state at start: from the command line, the configuration and the last session, in this order."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from pathlib import Path

from pyd_core.errors import ConfigError
from pyd_tui.config.paths import config_file, state_file
from pyd_tui.config.reader import read_settings
from pyd_tui.config.settings import ThemeName, UiState, UserSettings
from pyd_tui.config.state import load_state, save_state


@dataclass(frozen=True, kw_only=True)
class CliOverrides:
    """The command line's options; empty ones aren't set."""

    theme: ThemeName | None = None
    view: str = ""
    filter: str = ""


@dataclass(frozen=True, kw_only=True)
class StartupState:
    """The settings and state that the dashboard starts with.

    Attributes:
        settings: The configuration.
        remembered: The state of the last session.
        theme: The theme's name.
        view: The view to open.
        filter: The filter of the containers.
        merged: Whether to list the containers of all engines together.
        state_path: The file of the state for next time; None keeps none.
        ascii: Whether to draw with ASCII only.
        config_path: The settings file, to save choices in; None saves none.
        first_time: Whether the dashboard has never been closed before.
        config_error: The error why the configuration isn't used.
    """

    settings: UserSettings = field(default_factory=UserSettings)
    remembered: UiState = field(default_factory=UiState)
    theme: str = "auto"
    view: str = "containers"
    filter: str = ""
    merged: bool = False
    state_path: Path | None = None
    ascii: bool = False
    config_error: ConfigError | None = None
    config_path: Path | None = None
    first_time: bool = False

    def keep(self, how: UiState) -> None:
        """Save the state for next time, where this is turned on and possible."""
        if self.state_path is not None and (self.first_time or how != self.remembered):
            with contextlib.suppress(OSError):  # a convenience, and the terminal is no longer the dashboard's
                save_state(self.state_path, how)


def load_startup_state(overrides: CliOverrides | None = None, *, utf8: bool = True) -> StartupState:
    """Read the user's files.

    Args:
        overrides: The command line's options.
        utf8: Whether the terminal reads UTF-8.
    """
    overrides = overrides or CliOverrides()
    config_error = None
    try:
        settings = read_settings(config_file())
    except ConfigError as error:
        settings, config_error = UserSettings(), error
    state_path = state_file() if settings.restore else None
    remembered = load_state(state_path) if state_path is not None else UiState()
    return StartupState(
        settings=settings,
        remembered=remembered,
        theme=overrides.theme or remembered.theme or settings.theme,
        view=overrides.view or settings.view or remembered.view,
        filter=overrides.filter or settings.filter,
        merged=settings.merged if remembered.merged is None else remembered.merged,
        state_path=state_path,
        ascii=settings.borders == "ascii" or (settings.borders == "auto" and not utf8),
        config_error=config_error,
        config_path=config_file(),
        first_time=state_path is not None and not state_path.exists(),
    )
