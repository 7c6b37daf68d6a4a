"""The steps that a verdict suggests, as lines of a dialog."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pyd_core.sanitise import safe
from pyd_tui.dashboard.render.pieces import EMPTY, Cell, Span, cell

if TYPE_CHECKING:
    from pyd_tui.dashboard.actions.next_steps import Step
    from pyd_tui.dashboard.input.keymap import Key

_VERBS = {"log": "open", "stats": "open", "command": "run", "debug": "run", "recreate": "edit", "host": "copy"}


def step_label(number: int, step: Step) -> str:
    """Return the number before a step; notes have none."""
    return " ▪ " if step.kind == "note" else f" {number} "


def numbered_steps(steps: Sequence[Step], room: int) -> list[Cell]:
    """Return the steps as lines, wrapped to a width."""
    lines: list[Cell] = []
    for number, step in enumerate(steps, 1):
        first, *rest = textwrap.wrap(safe(step.text), max(20, room - 3), break_on_hyphens=False) or [""]
        lines.append((Span(step_label(number, step), "accent"), *cell(first)))
        lines += [(Span("   "), *cell(line)) for line in rest]
    return lines


def steps_dialog(
    name: str, steps: Sequence[Step], index: int, keys: Sequence[Key], *, room: int
) -> tuple[list[Cell], list[int]]:
    """Return the lines of the dialog with the cursor on one step, and where each step and their end begin.

    Args:
        name: The container's name.
        steps: The steps.
        index: The step under the cursor.
        keys: The keys of the dialog.
        room: Terminal columns a line may take.
    """
    lines: list[Cell] = [(Span("What to do about ", "dim"), *cell(name, "strong")), EMPTY]
    starts: list[int] = []
    for number, step in enumerate(steps, 1):
        here = number - 1 == index
        starts.append(len(lines))
        wrapped = textwrap.wrap(safe(step.text), max(20, room - 14), break_on_hyphens=False) or [""]
        verb = f"{_VERBS.get(step.kind, ''):<6}"
        head = (Span("▌" if here else " ", "accent"), Span(f"{number:>2}  ", "accent"), Span(f"{verb}  ", "dim"))
        lines.append((*head, *cell(wrapped[0], "strong" if here else "text")))
        lines += [(Span(" " * 13), *cell(line, "strong" if here else "text")) for line in wrapped[1:]]
    starts.append(len(lines))
    pieces: list[Span] = []
    for key in keys:
        if key.label:
            pieces += (Span("     " if pieces else ""), Span(key.shown, "accent"), Span(f" {key.label}"))
    return [*lines, EMPTY, tuple(pieces)], starts
