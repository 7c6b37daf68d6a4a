"""A command that was typed or chosen."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CommandCall:
    """A command with its arguments."""

    verb: str
    words: tuple[str, ...] = ()
