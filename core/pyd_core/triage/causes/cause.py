"""What a cause is."""

from __future__ import annotations

from typing import Literal

import msgspec

Family = Literal["ending", "starting", "memory", "program", "state", "engine"]
Severity = Literal["fine", "notice", "broken"]


class Cause(msgspec.Struct, frozen=True):
    """A cause in words."""

    id: str
    family: Family
    rank: int
    """How specific it is; a more specific cause wins over a better proven vague one (an out-of-memory kill over
    `app-error`, `app-error` over `restart-loop`)."""
    severity: Severity
    meaning: str
    remedy: str
    """What to do about it, one sentence."""
