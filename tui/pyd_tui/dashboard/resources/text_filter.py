"""The filter language of `/`: words that must occur, and `!words` that must not."""

from __future__ import annotations

from collections.abc import Iterable


def matches(text: str, fields: Iterable[str]) -> bool:
    """Return whether every word of a filter occurs in one of the fields, and no word behind `!` does, in any case."""
    hay = "\n".join(fields).casefold()
    for word in text.casefold().split():
        needle = word.removeprefix("!")
        if needle and (needle in hay) == word.startswith("!"):
            return False
    return True
