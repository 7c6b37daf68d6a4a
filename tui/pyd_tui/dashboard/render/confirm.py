"""A question and what it is about, as lines."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from pyd_core.sanitise import safe
from pyd_tui.dashboard.keymap import Key
from pyd_tui.dashboard.render.pieces import EMPTY, Cell, Piece, cell, fit


def confirm(question: str, names: Sequence[str], answers: Sequence[Key], *, room: int, most: int) -> list[Cell]:
    """Returns the lines of a dialog.

    Args:
        question: What is asked.
        names: What it is about; listed only when there are several, since one is in the question.
        answers: The keys for yes and no.
        room: Terminal columns a line may take.
        most: Names that are listed; what is beyond is counted.
    """
    lines = [cell(line, "strong") for line in textwrap.wrap(safe(question), room)]
    if len(names) > 1:
        lines.append(EMPTY)
        shown = names if len(names) <= most else names[: most - 1]
        for name in shown:
            line = (Piece("◆ ", "accent"), *cell(name))
            lines.append(fit(line, room) if len(name) + 2 > room else line)
        if len(shown) < len(names):
            lines.append(cell(f"  and {len(names) - len(shown)} more", "dim"))
    yes, no = (key.shown for key in answers)
    keys = (Piece(yes, "bad"), Piece(" yes", "text"), Piece("     "), Piece(no, "accent"), Piece(" no", "text"))
    return [*lines, EMPTY, keys]
