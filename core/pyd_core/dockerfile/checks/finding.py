"""Findings of checks: rule, severity, reason, position, and a fix where one is safe."""

from __future__ import annotations

from typing import Literal

import msgspec

from pyd_core.dockerfile.span import LineSpan

Severity = Literal["warning", "advice"]
"""`warning` for BuildKit's rules, `advice` for pyd's own."""


class Fix(msgspec.Struct, frozen=True):
    """Replacement of lines that changes nothing of what is built, or only what the finding is about."""

    span: LineSpan
    lines: tuple[str, ...]


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """Finding of a rule."""

    rule: str
    severity: Severity
    message: str
    span: LineSpan
    description: str = ""
    """The rule in general: why it matters."""
    url: str = ""
    hint: str = ""
    """What to write instead."""
    fix: Fix | None = None

    @property
    def short(self) -> str:
        """The finding as BuildKit's progress shows it."""
        return f"{self.rule}: {self.message} (line {self.span.start})"
