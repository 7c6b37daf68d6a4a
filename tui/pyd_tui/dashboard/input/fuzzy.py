"""Finding by a few letters: which texts have them in this order, and which of those is most likely meant."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

T = TypeVar("T")


def score(wanted: str, text: str) -> tuple[int, ...] | None:
    """Returns where the letters of `wanted` are in `text`, for a sort: lower is better; None when they aren't.

    Letters in a row count most, then beginnings of words, then an early place, then a short text. Case and blanks don't
    count.
    """
    hay = text.casefold()
    needle = "".join(wanted.casefold().split())
    if not needle:
        return (0, 0, 0, len(text))
    whole = hay.find(needle)
    if whole >= 0:
        starts = whole == 0 or not hay[whole - 1].isalnum()
        return (0, 0 if starts else 1, whole, len(text))
    at, gaps, first, last = 0, 0, -1, -1
    for letter in needle:
        at = hay.find(letter, last + 1)
        if at < 0:
            return None
        if first < 0:
            first = at
        elif at != last + 1:
            gaps += 1 if hay[at - 1].isalnum() else 0
            gaps += 1
        last = at
    return (1, gaps, first, len(text))


def best(wanted: str, known: Iterable[tuple[str, T]], most: int) -> list[tuple[str, T]]:
    """Returns the likeliest of texts with what they stand for, the best first."""
    found = [(rank, at, one) for at, one in enumerate(known) if (rank := score(wanted, one[0])) is not None]
    found.sort(key=lambda each: each[:2])
    return [one for _, _, one in found[:most]]
