"""Causes of verdicts."""

from __future__ import annotations

from typing import Literal

import msgspec

Family = Literal["ending", "starting", "memory", "program", "state", "engine", "pods"]
Severity = Literal["fine", "notice", "broken"]


class Cause(msgspec.Struct, frozen=True):
    """A cause and its description."""

    id: str
    family: Family
    rank: int
    """How specific it is. A specific cause wins over a better proven vague one: an out-of-memory kill over
    `app-error`, `app-error` over `restart-loop`."""
    severity: Severity
    meaning: str
    remedy: str
    """The remedy, in one sentence."""
