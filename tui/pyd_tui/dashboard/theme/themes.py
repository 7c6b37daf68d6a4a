"""Which theme is shown: the palettes by their names, and the one to begin with."""

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
"""Keeps the names apart from those of Textual's own themes."""


def named(name: str, *, colours: bool = True) -> StylePalette:
    """Return the palette of a theme.

    Args:
        name: What users call it: `dark`.
        colours: Whether the terminal shall have any.

    Raises:
        InvalidInput: There is none of this name, or the terminal shall have no colours.
    """
    if not colours:
        raise InvalidInput("NO_COLOR is set: there are no colours here", hint="unset it, and start again")
    if (found := PALETTES.get(PREFIX + name)) is None:
        known = [known.removeprefix(PREFIX) for known in PALETTES]
        raise InvalidInput(f"there is no theme {safe(name)}", hint=nearest(name, known))
    return found


def preferred(theme: str = "auto", environ: os._Environ[str] | dict[str, str] = os.environ) -> StylePalette:
    """Return the palette to begin with.

    `NO_COLOR` (no-color.org) wins; then the theme that is set; then what is known of the terminal: few colours by its
    name, its ground by `COLORFGBG`, in which terminals that set it name their background last (`0;15`).
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
"""Terminals that promise 16 colours at most (terminfo, `colors`)."""


def palette_of(app: App[Any]) -> StylePalette:
    """Return the palette that an app shows now."""
    return PALETTES.get(app.theme, DARK)
