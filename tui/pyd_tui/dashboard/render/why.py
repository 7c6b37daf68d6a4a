"""A verdict as lines: summary, confidence, advice and evidence."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from pyd_core.errors import PydError
from pyd_core.model.base import parse_time
from pyd_core.sanitise import safe
from pyd_tui.dashboard.render.figures import Clock
from pyd_tui.dashboard.render.next_steps import numbered_steps
from pyd_tui.dashboard.render.pieces import EMPTY, Cell, Role, Span, cell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyd_core.triage.verdict import EvidenceLine, Verdict
    from pyd_tui.dashboard.actions.next_steps import Step

INDENT = 2
MAX_TEXT_COLUMNS = 110
"""Terminal columns beyond which prose is hard to read."""

RUNNING_OK = "running-ok"
"""The cause of a container without problems."""

_ROLES: dict[str, Role] = {"broken": "bad", "notice": "warn", "fine": "good"}


def why(
    answer: Verdict | PydError | None, clock: Clock, columns: int, steps: Sequence[Step] | None = None
) -> list[Cell]:
    """Return the lines for a width; empty without an answer.

    Args:
        answer: The verdict or its error.
        clock: The clock.
        columns: Terminal columns.
        steps: What can be done, to be numbered; by default the verdict's advice is shown.
    """
    if answer is None:
        return []
    from pyd_core.triage.text_report import describe_gap, sureness  # noqa: PLC0415 - forty causes in words, only when shown

    columns = max(20, min(columns, MAX_TEXT_COLUMNS))
    if isinstance(answer, PydError):
        lines = [EMPTY, *_wrapped(answer.message, "bad", columns)]
        return [*lines, *_wrapped(answer.hint, "dim", columns)] if answer.hint else lines
    return [
        EMPTY,
        *_wrapped(f"{answer.summary.rstrip('.')}.", "strong", columns),
        EMPTY,
        (
            Span(" status  " if answer.cause == RUNNING_OK else " cause  ", "dim"),
            *cell("OK" if answer.cause == RUNNING_OK else answer.cause, _ROLES.get(answer.severity, "text")),
            Span(f"   {sureness(answer.confidence)}, {answer.confidence:.2f}", "dim"),
        ),
        *([(Span(" also   ", "dim"), *cell(", ".join(answer.contributing)))] if answer.contributing else []),
        *_section("What to do", numbered_steps(steps, columns) if steps is not None else _advice(answer, columns)),
        *_section("Evidence", _evidence(answer.evidence, clock, columns)),
        *_section("Timeline", [_moment(item, clock) for item in answer.timeline]),
        *_section(
            "Missing evidence",
            [line for gap in answer.unread for line in _item(describe_gap(gap), columns, "dim")],
        ),
    ]


def _advice(answer: Verdict, columns: int) -> list[Cell]:
    return [line for text in answer.advice for line in _item(text, columns)]


def _section(title: str, lines: list[Cell]) -> list[Cell]:
    return [EMPTY, (Span(f" {title}", "title"),), *lines] if lines else []


def _wrapped(text: str, role: Role, room: int, first: str = " ", rest: str = " ") -> list[Cell]:
    lines = textwrap.wrap(safe(text), room, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False) or [
        first
    ]
    return [cell(line, role) for line in lines]


def _item(text: str, room: int, role: Role = "text") -> list[Cell]:
    lines = _wrapped(text, role, room, "   ", "   ")
    return [(Span(" ▪ ", "accent"), Span(lines[0][0].text[3:], role)), *lines[1:]] if lines[0] else lines


def _stamp(item: EvidenceLine, clock: Clock) -> str:
    when = parse_time(item.time) if item.time else None
    return f"{clock.local(when):%H:%M:%S.%f}"[:12] if when is not None else ""


def _evidence(items: Sequence[EvidenceLine], clock: Clock, room: int) -> list[Cell]:
    """Return the items of evidence, with a column for times if any has one."""
    stamps = [_stamp(item, clock) for item in items]
    timed = any(stamps)
    return [
        line
        for item, stamp in zip(items, stamps, strict=True)
        for line in _evidence_lines(item, f"{stamp:<12}  " if timed else " ", room)
    ]


def _evidence_lines(item: EvidenceLine, stamp: str, room: int) -> list[Cell]:
    """Return one item of evidence, the source in a column of its own, for quick scanning."""
    head = f" {safe(item.source):<11} {stamp}"
    lines = _wrapped(item.text.replace("\n", " "), "text", max(20, room - len(head)), "", "")
    first = (Span(head, "dim"), *lines[0])
    return [first, *((Span(" " * len(head)), *line) for line in lines[1:])]


def _moment(item: EvidenceLine, clock: Clock) -> Cell:
    return (Span(f" {_stamp(item, clock):<12}  ", "dim"), *cell(item.text))
