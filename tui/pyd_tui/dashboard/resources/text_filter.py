"""The filter language of `/`: words that must occur, and `!words` that must not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

NO_NAMED: Mapping[str, Iterable[str]] = {}
EXACT = frozenset({"port"})
"""Named fields that must match in full: port 80 isn't 8080."""


def matches(text: str, fields: Iterable[str], named: Mapping[str, Iterable[str]] = NO_NAMED) -> bool:
    """Return whether every word of a filter occurs in one of the fields, and no word behind `!` does, in any case.

    Args:
        text: The filter.
        fields: What a plain word may occur in.
        named: What a word such as `port:80` may occur in, by the part before the colon.
    """
    hay = "\n".join(fields).casefold()
    for word in text.casefold().split():
        needle = word.removeprefix("!")
        name, colon, value = needle.partition(":")
        if colon and name in named:
            values = [field.casefold() for field in named[name]]
            known = value in values if name in EXACT else any(value in field for field in values)
        else:
            known = needle in hay
        if needle and known == word.startswith("!"):
            return False
    return True
