"""Confirmation dialogs: a question and the objects it is about."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from pyd_core.sanitise import safe
from pyd_tui.dashboard.input.keymap import Key
from pyd_tui.dashboard.render.pieces import EMPTY, Cell, Span, cell, fit


def confirm(
    question: str,
    names: Sequence[str],
    answers: Sequence[Key],
    *,
    room: int,
    max_lines: int,
    top: int = 0,
    scroll: str = "",
) -> list[Cell]:
    """Return the lines of a dialog.

    Args:
        question: The question.
        names: The objects; listed only when there are several, since the question names a single one.
        answers: The keys for yes and no.
        room: Terminal columns a line may take.
        max_lines: Lines that the list may take; the rest is counted.
        top: Number of names scrolled away above.
        scroll: The keys that scroll.
    """
    lines = [cell(line, "strong") for line in textwrap.wrap(safe(question), room)]
    if len(names) > 1:
        lines.append(EMPTY)
        page = page_size(len(names), max_lines)
        if page < len(names):
            lines.append(cell(f"  {top} before", "dim") if top else EMPTY)
        for name in names[top : top + page]:
            line = (Span("◆ ", "accent"), *cell(name))
            lines.append(fit(line, room) if len(name) + 2 > room else line)
        if page < len(names):
            remaining = len(names) - top - page
            more = cell(f"  and {remaining} more" if remaining else "", "dim")
            lines.append((*more, Span(f"   {scroll}", "dim")))
    yes, no = (key.shown for key in answers)
    keys = (Span(yes, "bad"), Span(" yes", "text"), Span("     "), Span(no, "accent"), Span(" no", "text"))
    return [*lines, EMPTY, keys]


def page_size(count: int, max_lines: int) -> int:
    """Return how many of `count` names are listed at a time; the others are counted above and below them."""
    return count if count <= max_lines else max(1, max_lines - 2)
