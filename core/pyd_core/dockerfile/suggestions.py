"""Suggestions for misspelt words of a Dockerfile."""

from __future__ import annotations

from collections.abc import Iterable

MAX_WORD_LENGTH = 100
"""Limit for a word that is compared; no word of a Dockerfile's language is longer."""


def nearest_word(word: str, known: Iterable[str], *, ignore_case: bool = True) -> str:
    """Return the known word that is most similar to a misspelt one, or an empty text.

    Args:
        word: The word as written.
        known: Words that are allowed in its position.
        ignore_case: Compare words without regard to case.
    """
    from difflib import get_close_matches  # noqa: PLC0415 - only a failure pays for it

    if not word or len(word) > MAX_WORD_LENGTH:
        return ""
    candidates = {(name.lower() if ignore_case else name): name for name in known}
    matches = get_close_matches(word.lower() if ignore_case else word, sorted(candidates), n=1, cutoff=0.6)
    return candidates[matches[0]] if matches and candidates[matches[0]] != word else ""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ` (did you mean WORD?)` for the most similar known word, or an empty text."""
    nearest = nearest_word(word, known)
    return f" (did you mean {nearest}?)" if nearest else ""
