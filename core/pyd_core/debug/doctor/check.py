"""What a check says."""

from __future__ import annotations

import msgspec

OK, WARNING, BLOCKER, UNKNOWN = "ok", "warning", "blocker", "unknown"


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at.

    Attributes:
        name: What it is, kebab-case; scripts can match on it.
        state: `ok`; `warning`, some tools don't work; `blocker`, sessions don't; `unknown`, it can't be told from here.
        finding: The result.
        remedy: What to do about it; empty where nothing is to be done.
    """

    name: str
    state: str
    finding: str = msgspec.field(name="found")
    remedy: str = ""
