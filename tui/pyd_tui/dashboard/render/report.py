"""How an action went for each that it was done to."""

from __future__ import annotations

from collections.abc import Sequence

from pyd_core.errors import PydError
from pyd_core.sanitise import safe
from pyd_tui.dashboard.input.keymap import Key
from pyd_tui.dashboard.render.pieces import EMPTY, Cell, Span, cell, fit, width

NAME = 40
"""Terminal columns that names take at most."""


def report(
    done: str, outcomes: Sequence[tuple[str, PydError | None]], keys: Sequence[Key], *, room: int, most: int
) -> list[Cell]:
    """Returns the lines of a dialog: the failed ones first, for each what went wrong.

    Args:
        done: What was done, as `stopped`.
        outcomes: Names, and what went wrong.
        keys: The keys to try again, and to close.
        room: Terminal columns a line may take.
        most: Names that are listed; what is beyond is counted.
    """
    failed = [(name, error) for name, error in outcomes if error is not None]
    good = [name for name, error in outcomes if error is None]
    columns = min(NAME, max(len(safe(name)) for name, _ in outcomes))
    others = cell(f", {done} the others" if good else "", "dim")
    lines: list[Cell] = [(*cell(f"{len(failed)} of {len(outcomes)} failed", "strong"), *others), EMPTY]
    for name, error in failed[:most]:
        line = (Span("✗ ", "bad"), *fit(cell(name), columns), Span("  "), *cell(error.message, "text"))
        lines.append(fit(line, room) if width(line) > room else line)
    left = max(0, most - len(failed))
    lines += [(Span("✓ ", "good"), *fit(cell(name, "dim"), columns)) for name in good[:left]]
    hidden = len(outcomes) - min(len(failed), most) - len(good[:left])
    if hidden:
        lines.append(cell(f"  and {hidden} more", "dim"))
    again, close = (key.shown for key in keys)
    answers = (Span(again, "accent"), Span(" try the failed ones again"), Span("     "), Span(close, "accent"))
    return [*lines, EMPTY, (*answers, Span(" close"))]
