"""The themes by name, and the choice of the initial one."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from pyd_core.errors import InvalidInput
from pyd_core.sanitise import safe
from pyd_tui.config.reader import nearest
from pyd_tui.dashboard.theme.palettes import COLOUR_BLIND, DARK, HIGH_CONTRAST, LIGHT, PLAIN, SIXTEEN

if TYPE_CHECKING:
    from textual.app import App

    from pyd_tui.dashboard.theme.styles import StylePalette

PALETTES = {palette.name: palette for palette in (DARK, LIGHT, HIGH_CONTRAST, COLOUR_BLIND, SIXTEEN, PLAIN)}
PREFIX = "pyd-"
"""Distinguishes these names from Textual's own themes."""


def palette_named(name: str, *, colours: bool = True) -> StylePalette:
    """Return the palette of a theme.

    Args:
        name: The name that users write, such as `dark`.
        colours: Whether colours are enabled.

    Raises:
        InvalidInput: There is no theme of this name, or colours are disabled.
    """
    if not colours:
        raise InvalidInput("NO_COLOR is set, so colours are disabled", hint="unset it and restart pyd")
    if (palette := PALETTES.get(PREFIX + name)) is None:
        known = [known.removeprefix(PREFIX) for known in PALETTES]
        raise InvalidInput(f"there is no theme {safe(name)}", hint=nearest(name, known))
    return palette


def preferred(theme: str = "auto", environ: os._Environ[str] | dict[str, str] = os.environ) -> StylePalette:
    """Return the initial palette.

    `NO_COLOR` (no-color.org) comes first, then the configured theme, then the terminal: few colours by its name, its
    background by the last number of `COLORFGBG` (`0;15`).
    """
    if environ.get("NO_COLOR") or environ.get("TERM") == "dumb":
        return PLAIN
    if chosen := PALETTES.get(PREFIX + theme):
        return chosen
    if environ.get("TERM", "") in _FEW_COLOURS and not environ.get("COLORTERM"):
        return SIXTEEN
    ground = environ.get("COLORFGBG", "").rpartition(";")[2]
    return LIGHT if ground in {"7", "15"} else DARK


_FEW_COLOURS = frozenset({"linux", "xterm", "xterm-16color", "screen", "tmux", "ansi", "vt220", "rxvt", "cygwin"})
"""Terminals that support at most 16 colours (terminfo, `colors`)."""


def palette_of(app: App[Any]) -> StylePalette:
    """Return the palette that an app currently shows."""
    return PALETTES.get(app.theme, DARK)
