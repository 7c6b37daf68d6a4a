"""The live tree of a build: stages, their steps with times, and the last lines of what runs."""

from __future__ import annotations

from collections.abc import Sequence

from pyd_core.buildkit.client.progress import BuildSteps, StepProgress, Transfer
from pyd_core.humanize import size
from pyd_core.sanitise import safe
from pyd_tui.console.builds.stages import CONTEXT_GROUP, RESULT_GROUP, StagedStep, StageGroup, counts, group_steps

TAIL_LINES = 4
"""Last lines that are shown of a running step."""
FAILED_LINES = 12
"""Last lines that are shown of a failed step."""
MIN_TIME_S = 0.05
"""Shorter times aren't shown."""

DIM = "\x1b[2m"
BOLD = "\x1b[1m"
GREEN = "\x1b[32m"
RED = "\x1b[31m"
YELLOW = "\x1b[33m"
CYAN = "\x1b[36m"
RESET = "\x1b[0m"


class TreePainter:
    """Draws the tree of a build as lines of text.

    Args:
        title: What is built.
        coloured: Use colours.
    """

    def __init__(self, title: str, *, coloured: bool) -> None:
        self._title = title
        self._coloured = coloured

    def lines(self, progress: BuildSteps, *, now: float, started: float, width: int, height: int) -> list[str]:
        """Return the tree, no wider than `width`, and no higher than `height` if that isn't 0.

        Stages that are done shrink to one line, then the tails of output to one line, until all fits.
        """
        groups = group_steps(progress.steps.values())
        for tail, compact in ((TAIL_LINES, False), (TAIL_LINES, True), (1, True), (0, True)):
            rows = [self._head(progress, now - started)]
            for group in groups:
                rows += self._group(group, now=now, tail=tail, compact=compact)
            if not height or len(rows) <= height:
                break
        if height and len(rows) > height:
            rows = [rows[0], *rows[len(rows) - height + 1 :]]
        return [self._cut(text, style, right, width) for text, style, right in rows]

    def _head(self, progress: BuildSteps, elapsed: float) -> tuple[str, str, str]:
        done, total, cached = counts(progress.steps)
        cached_text = f", {cached} cached" if cached else ""
        return f"{self._title}  {done} of {total} steps{cached_text}", BOLD, clock(elapsed)

    def _group(self, group: StageGroup, *, now: float, tail: int, compact: bool) -> list[tuple[str, str, str]]:
        steps = group.steps
        is_done = all(item.step.completed is not None and not item.step.error for item in steps)
        is_own = group.name in {CONTEXT_GROUP, RESULT_GROUP} and not steps[0].number
        if is_done and (compact or is_own):
            cached = all(item.step.cached for item in steps)
            duration = sum(item.step.duration(now) for item in steps)
            text = f" ✓ {group.name or 'stage'}" + ("" if is_own else f"  {len(steps)} steps")
            return [(text, GREEN, "cached" if cached else clock(duration))]
        rows: list[tuple[str, str, str]] = []
        if group.name and not is_own:
            rows.append((f" {group.name}", BOLD, ""))
        for item in steps:
            if compact and item.step.completed is not None and not item.step.error:
                continue
            rows += self._step(item, now=now, tail=tail)
        return rows

    def _step(self, item: StagedStep, *, now: float, tail: int) -> list[tuple[str, str, str]]:
        step = item.step
        position = f"{item.number}/{item.count} " if item.number else ""
        text = f"{position}{item.text}"
        if step.error:
            rows = [(f"   ✗ {text}", RED, clock(step.duration(now)))]
            return rows + [(f"       {line.text}", DIM, "") for line in list(step.lines)[-FAILED_LINES:]]
        if step.completed is not None:
            return [(f"   ✓ {text}", GREEN, "cached" if step.cached else clock(step.duration(now)))]
        if step.started is None:
            return [(f"   · {text}", DIM, "")]
        rows = [(f"   ▸ {text}", CYAN, clock(step.duration(now)))]
        rows += [(f"       {describe_transfer(transfer)}", DIM, "") for transfer in _active(step)[-max(tail, 1) :]]
        return rows + ([(f"       {line.text}", DIM, "") for line in list(step.lines)[-tail:]] if tail else [])

    def _cut(self, text: str, style: str, right: str, width: int) -> str:
        from rich.cells import cell_len, set_cell_size

        text = safe(text).replace("\t", " ")
        room = width - cell_len(right) - (2 if right else 0)
        if cell_len(text) > room:
            text = set_cell_size(text, max(room - 1, 0)) + "…"
        if not self._coloured:
            return text + (" " * (width - cell_len(text) - cell_len(right)) + right if right else "")
        mark_style = style if style in {GREEN, RED, CYAN} else ""
        if mark_style and len(text) > 4 and text.lstrip()[:1] in "✓✗▸":
            mark = len(text) - len(text.lstrip()) + 1
            body = f"{text[:mark]}{RESET}{text[mark:]}" if style != RED else text
        else:
            body, mark_style = text, style
        gap = " " * (width - cell_len(text) - cell_len(right)) if right else ""
        return f"{mark_style}{body}{RESET}{gap}{DIM}{right}{RESET}" if right else f"{mark_style}{body}{RESET}"


def clock(seconds: float) -> str:
    """Return a time for a column: `0.4 s`, `12.3 s`, `2:05 min`, `1:02:05 h`; nothing for a moment."""
    if seconds < MIN_TIME_S:
        return ""
    if seconds < 100:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02} h" if hours else f"{minutes}:{rest:02} min"


def describe_transfer(transfer: Transfer) -> str:
    """Return a transfer's name and progress."""
    name = transfer.name or transfer.id
    if transfer.total:
        return f"{name}  {size(transfer.current)} of {size(transfer.total)}"
    return f"{name}  {size(transfer.current)}" if transfer.current else name


def _active(step: StepProgress) -> Sequence[Transfer]:
    return [transfer for transfer in step.transfers.values() if transfer.completed is None]
