"""How the dashboard begins: what the command line, the configuration and last time say, in this order."""

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
    """What the command line asks for; empty is no wish."""

    theme: ThemeName | None = None
    view: str = ""
    filter: str = ""


@dataclass(frozen=True, kw_only=True)
class StartupState:
    """What the dashboard begins with.

    Attributes:
        settings: The configuration.
        remembered: How it was left.
        theme: The theme's name.
        view: The view to open.
        filter: The filter of the containers.
        merged: Begin with the containers of all engines in one list.
        memory: Where to write how it is left; None is nowhere.
        ascii: Draw with ASCII alone.
        trouble: Why the configuration isn't used.
    """

    settings: UserSettings = field(default_factory=UserSettings)
    remembered: UiState = field(default_factory=UiState)
    theme: str = "auto"
    view: str = "containers"
    filter: str = ""
    merged: bool = False
    memory: Path | None = None
    ascii: bool = False
    trouble: ConfigError | None = None

    def keep(self, how: UiState) -> None:
        """Writes down how the dashboard is left, where that is wanted and can be done."""
        if self.memory is not None and how != self.remembered:
            with contextlib.suppress(OSError):  # a convenience, and the terminal is no longer the dashboard's
                save_state(self.memory, how)


def begin(wishes: CliOverrides | None = None, *, utf8: bool = True) -> StartupState:
    """Reads the user's files.

    Args:
        wishes: The command line's options.
        utf8: Whether the terminal reads UTF-8.
    """
    wishes = wishes or CliOverrides()
    trouble = None
    try:
        settings = read_settings(config_file())
    except ConfigError as error:
        settings, trouble = UserSettings(), error
    memory = state_file() if settings.restore else None
    remembered = load_state(memory) if memory is not None else UiState()
    return StartupState(
        settings=settings,
        remembered=remembered,
        theme=wishes.theme or remembered.theme or settings.theme,
        view=wishes.view or settings.view or remembered.view,
        filter=wishes.filter or settings.filter,
        merged=settings.merged if remembered.merged is None else remembered.merged,
        memory=memory,
        ascii=settings.borders == "ascii" or (settings.borders == "auto" and not utf8),
        trouble=trouble,
    )
