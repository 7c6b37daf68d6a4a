"""A container's changes against its image."""

from __future__ import annotations

from pyd_core.model.container import FileChange
from pyd_tui.dashboard.render.facts import nothing
from pyd_tui.dashboard.render.pieces import EMPTY, Cell, Role, Span, cell

_KINDS: dict[int, tuple[str, Role]] = {0: ("~", "warn"), 1: ("+", "good"), 2: ("-", "bad")}
"""The Engine API's numbers: modified, added, deleted."""


def changes(files: list[FileChange]) -> list[Cell]:
    """Return the changed paths in order, below a count of each kind."""
    if not files:
        return nothing("nothing differs from the image")
    counts = {kind: sum(change.kind == kind for change in files) for kind in _KINDS}
    words = {0: "changed", 1: "added", 2: "deleted"}
    summary = ", ".join(f"{count:,} {words[kind]}" for kind, count in counts.items() if count)
    lines: list[Cell] = [EMPTY, (Span(f" {summary}", "dim"),), EMPTY]
    for change in sorted(files, key=lambda change: change.path):
        mark, role = _KINDS.get(change.kind, ("?", "dim"))
        lines.append((Span(f" {mark} ", role), *cell(change.path)))
    return lines
