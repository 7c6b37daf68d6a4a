"""The strip that names the worst containers with their reasons."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pyd_core.errors import PydError
from pyd_tui.dashboard.render.pieces import Cell, Span, cell, fit, width

if TYPE_CHECKING:
    from pyd_core.triage.verdict import Verdict
    from pyd_core.watch.container_info import ContainerInfo

MIN_REASON_COLUMNS = 28
"""Terminal columns of a reason below which fewer containers are named; shorter reasons take less."""

MIN_NAME_COLUMNS = 10
"""Terminal columns to which a long name is cut, so that the reason is seen."""

MIN_ENTRY_COLUMNS = 28
"""Terminal columns below which no container is named."""

Hit = tuple[int | None, int, int]
"""A clickable part: the index of a container or None for the count, its first column and the one after its last."""


def short_reason(container: ContainerInfo, answer: Verdict | PydError | None) -> str:
    """Return why a container is broken in a few words, from its state until triage has answered."""
    if answer is not None and not isinstance(answer, PydError):
        return answer.reason or answer.summary
    if container.state in {"running", "paused"}:
        return container.health
    if container.state in {"exited", "stopped"} and container.exit_code is not None:
        return f"exited {container.exit_code}"
    return container.error or container.state


def problem_line(
    count: int,
    worst: Sequence[tuple[ContainerInfo, Verdict | PydError | None]],
    filter_key: str,
    keys: Sequence[str],
    room: int,
) -> tuple[Cell, list[Hit]]:
    """Return the strip and its clickable parts.

    Args:
        count: The number of broken containers.
        worst: The worst, with triage's answers.
        filter_key: The key that shows only the broken ones.
        keys: The keys that open them.
        room: The width in terminal columns.
    """
    pieces: list[Span] = [Span("✗ ", "bad"), Span(f"{count:,} broken", "strong")]
    if filter_key:
        pieces.append(Span(f"  {filter_key}", "accent"))
    hits: list[Hit] = [(None, 0, width(pieces))]
    left = room - width(pieces)
    shown = []
    for key, (entry, answer) in zip(keys, worst, strict=False):
        reason = cell(short_reason(entry, answer), "bad")
        shown.append((_head(key, cell(entry.name, "strong"), reason, left), reason))
    least = [width(head) + min(MIN_REASON_COLUMNS, width(reason)) for head, reason in shown]
    while len(shown) > 1 and sum(least[: len(shown)]) > left:
        shown.pop()
    if left < MIN_ENTRY_COLUMNS:
        shown = []
    for index, (head, reason) in enumerate(shown):
        share = left - sum(least[index + 1 : len(shown)])
        part: Cell = (*head, *reason)
        if width(part) > share:
            part = (*head, *fit(reason, share - width(head))) if share > width(head) + 3 else fit(head, share)
        start = width(pieces) + 3
        pieces += part
        left = room - width(pieces)
        hits.append((index, start, width(pieces)))
    return tuple(pieces), hits


def _head(key: str, name: Cell, reason: Cell, room: int) -> Cell:
    """Return the key and the name of a container, cut where the reason wouldn't fit next to it."""
    before = (Span("   "), Span(f"{key} " if key else "", "accent"))
    free = room - width(before) - 1 - min(MIN_REASON_COLUMNS, width(reason))
    return (*before, *fit(name, min(width(name), max(MIN_NAME_COLUMNS, free))), Span(" "))
