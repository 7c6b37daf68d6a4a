"""Findings of checks."""

from __future__ import annotations

from pyd_core.triage.evidence import Item, UnavailableSource


class CheckFindings:
    """The findings of all checks of a message."""

    def __init__(self) -> None:
        self.evidence: list[Item] = []
        self.advice: list[str] = []
        self.unread: list[UnavailableSource] = []

    def add(self, source: str, text: str) -> None:
        """Add evidence."""
        self.evidence.append(Item(source=source, text=text))
