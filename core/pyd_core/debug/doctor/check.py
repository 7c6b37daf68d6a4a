"""The result of a check."""

from __future__ import annotations

import msgspec

OK, WARNING, BLOCKER, UNKNOWN = "ok", "warning", "blocker", "unknown"


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """The result of one check.

    Attributes:
        name: The check's name, kebab-case; scripts can match on it.
        state: `ok`; `warning`, some tools don't work; `blocker`, sessions don't; `unknown`, no check from here.
        finding: The result.
        remedy: The next step; empty where none is needed.
    """

    name: str
    state: str
    finding: str = msgspec.field(name="found")
    remedy: str = ""
