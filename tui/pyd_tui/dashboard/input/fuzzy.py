"""Fuzzy search: texts that contain some letters in order, ranked by how likely they are meant."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

T = TypeVar("T")


def score(query: str, text: str) -> tuple[int, ...] | None:
    """Return the rank of `text` for the letters of `query`, lower is better; None if it lacks them.

    Adjacent letters count most, then starts of words, then an early position, then a short text. Case and blanks are
    ignored. Without letters all texts rank alike.
    """
    text_folded = text.casefold()
    needle = "".join(query.casefold().split())
    if not needle:
        return (0,)  # nothing typed: in the order given
    whole = text_folded.find(needle)
    if whole >= 0:
        starts = whole == 0 or not text_folded[whole - 1].isalnum()
        return (0, 0 if starts else 1, whole, len(text))
    gaps, first, last = 0, -1, -1
    for letter in needle:
        index = text_folded.find(letter, last + 1)
        if index < 0:
            return None
        if first < 0:
            first = index
        elif index != last + 1:
            gaps += 1 if text_folded[index - 1].isalnum() else 0
            gaps += 1
        last = index
    return (1, gaps, first, len(text))


def best(query: str, known: Iterable[tuple[str, T]], most: int) -> list[tuple[str, T]]:
    """Return the best matching texts with their values, the best first."""
    ranked = [(rank, index, item) for index, item in enumerate(known) if (rank := score(query, item[0])) is not None]
    ranked.sort(key=lambda entry: entry[:2])
    return [item for _, _, item in ranked[:most]]
