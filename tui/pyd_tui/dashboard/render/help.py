"""The help screen, made from the table of keys."""

from __future__ import annotations

from pyd_tui.dashboard.keymap import KEYMAP, TITLES, Scope
from pyd_tui.dashboard.render.pieces import EMPTY, Cell, Piece, fit

KEYS = 9
"""Terminal columns of the keys."""
WIDE = 112
"""Terminal columns from which on two columns of help stand side by side."""


def help_lines(room: int) -> list[Cell]:
    """Returns the lines of the help screen for a width."""
    if room < WIDE:
        return [line for scope in TITLES for line in _section(scope)]
    left: list[Cell] = []
    right: list[Cell] = []
    for scope in sorted(TITLES, key=lambda scope: -len(_section(scope))):  # the long ones first, to come out even
        (left if len(left) <= len(right) else right).extend(_section(scope))
    half = room // 2 - 1
    height = max(len(left), len(right))
    left += [EMPTY] * (height - len(left))
    right += [EMPTY] * (height - len(right))
    return [(*fit(one, half), *other) for one, other in zip(left, right, strict=True)]


def _section(scope: Scope) -> list[Cell]:
    lines: list[Cell] = [EMPTY, (Piece("  "), Piece(TITLES[scope], "title"))]
    lines += [
        (Piece("  "), *fit((Piece(key.shown, "accent"),), KEYS), Piece(key.help)) for key in KEYMAP[scope] if key.help
    ]
    return lines
