"""Symbolic file modes: `u+x,go=r` (chmod(1))."""

from __future__ import annotations

import re

_CLAUSE = re.compile(r"[ugoa]*(?:[-+=](?:[rwxXst]{0,6}|[ugo]))+")
MAX_LENGTH = 200
"""Limit for a mode."""


def is_symbolic_mode(text: str) -> bool:
    """Return whether a text is a symbolic mode."""
    return 0 < len(text) <= MAX_LENGTH and all(_CLAUSE.fullmatch(clause) for clause in text.split(","))
