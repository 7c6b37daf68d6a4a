"""The outcome of an action for each of its objects."""

from __future__ import annotations

from collections.abc import Sequence

from pyd_core.errors import PydError
from pyd_core.sanitise import safe
from pyd_tui.dashboard.input.keymap import Key
from pyd_tui.dashboard.render.pieces import EMPTY, Cell, Span, cell, fit, width

MAX_NAME_COLUMNS = 40
"""Terminal columns that names take at most."""


def report(
    done: str, outcomes: Sequence[tuple[str, PydError | None]], keys: Sequence[Key], *, room: int, max_names: int
) -> list[Cell]:
    """Return the lines of a dialog: failures first, each with its error.

    Args:
        done: The action in the past tense, such as `stopped`.
        outcomes: Names and errors.
        keys: The keys to retry and to close.
        room: Terminal columns a line may take.
        max_names: Names that are listed; the rest is counted.
    """
    failed = [(name, error) for name, error in outcomes if error is not None]
    succeeded = [name for name, error in outcomes if error is None]
    columns = min(MAX_NAME_COLUMNS, max(len(safe(name)) for name, _ in outcomes))
    rest = "the other one" if len(succeeded) == 1 else f"the other {len(succeeded):,}"
    others = cell(f"; {done} {rest}" if succeeded else "", "dim")
    lines: list[Cell] = [(*cell(f"{len(failed)} of {len(outcomes)} failed", "strong"), *others), EMPTY]
    for name, error in failed[:max_names]:
        line = (Span("✗ ", "bad"), *fit(cell(name), columns), Span("  "), *cell(error.message, "text"))
        lines.append(fit(line, room) if width(line) > room else line)
    room_left = max(0, max_names - len(failed))
    lines += [(Span("✓ ", "good"), *fit(cell(name, "dim"), columns)) for name in succeeded[:room_left]]
    hidden = len(outcomes) - min(len(failed), max_names) - len(succeeded[:room_left])
    if hidden:
        lines.append(cell(f"  and {hidden} more", "dim"))
    again, close = (key.shown for key in keys)
    answers = (Span(again, "accent"), Span(" retry the failed ones"), Span("     "), Span(close, "accent"))
    return [*lines, EMPTY, (*answers, Span(" close"))]
