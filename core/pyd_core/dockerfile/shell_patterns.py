"""Patterns in variables: `${name#pattern}`, `${name%pattern}` and `${name/pattern/replacement}`."""

from __future__ import annotations

from collections.abc import Sequence

from pyd_core.errors import DockerfileError

STAR = "*"
ANY = "?"
Token = str | tuple[str]
"""`*`, `?`, or a literal character in a tuple."""
MAX_MATCH_STEPS = 4_000_000
"""Limit for the offsets that a substitution may visit: patterns and values come from strangers."""


def trim_prefix(pattern: str, value: str, *, is_greedy: bool) -> str:
    """Return a value without the shortest or longest match of a pattern at its start.

    Raises:
        DockerfileError: The pattern is malformed, or pattern and value are too long.
    """
    ends = _Matcher(parse_pattern(pattern), value).ends(0)
    return value[ends[-1] if is_greedy else ends[0] :] if ends else value


def trim_suffix(pattern: str, value: str, *, is_greedy: bool) -> str:
    """Return a value without the shortest or longest match of a pattern at its end.

    Raises:
        DockerfileError: The pattern is malformed, or pattern and value are too long.
    """
    ends = _Matcher(parse_pattern(pattern)[::-1], value[::-1]).ends(0)
    return value[: len(value) - (ends[-1] if is_greedy else ends[0])] if ends else value


def replace_matches(pattern: str, value: str, replacement: str, *, replace_all: bool) -> str:
    """Return a value in which the first or every longest match of a pattern is replaced.

    Raises:
        DockerfileError: The pattern is malformed, or pattern and value are too long.
    """
    matcher = _Matcher(parse_pattern(pattern), value)
    parts: list[str] = []
    start = kept = 0
    last_end = -1
    while start <= len(value):
        ends = matcher.ends(start)
        if not ends or ends[-1] == start == last_end:
            start += 1
            continue
        parts += (value[kept:start], replacement)
        kept = last_end = ends[-1]
        if not replace_all:
            break
        start = max(kept, start + 1) if kept == start else kept
    return "".join(parts) + value[kept:]


def parse_pattern(pattern: str) -> list[Token]:
    """Split a pattern into wildcards and literal characters.

    Raises:
        DockerfileError: A backslash escapes a character that needs none.
    """
    tokens: list[Token] = []
    offset = 0
    while offset < len(pattern):
        letter = pattern[offset]
        offset += 1
        if letter in {STAR, ANY}:
            tokens.append(letter)
        elif letter == "\\":
            following = pattern[offset : offset + 1]
            if following in {"}", "/"}:
                continue  # the backslash protected it from the end of ${…}
            if following not in {STAR, ANY, "\\"}:
                raise DockerfileError(
                    f"invalid pattern ({pattern[:80]}) in substitution: invalid escape '\\{following}'"
                )
            tokens.append((following,))
            offset += 1
        else:
            tokens.append((letter,))
    return tokens


class _Matcher:
    def __init__(self, tokens: Sequence[Token], value: str) -> None:
        self._tokens = tokens
        self._value = value
        self._steps = 0

    def ends(self, start: int) -> list[int]:
        """Return each offset, in ascending order, at which a match that begins at `start` may end."""
        value = self._value
        ends = {start}
        for token in self._tokens:
            if token == STAR:
                ends = self._reachable(ends)
            elif token == ANY:
                ends = {end + 1 for end in ends if end < len(value) and value[end] != "\n"}
            else:
                ends = {end + 1 for end in ends if value[end : end + 1] == token[0]}
            self._steps += len(ends) + 1
            if self._steps > MAX_MATCH_STEPS:
                raise DockerfileError("the pattern and the value that it is applied to are too long")
            if not ends:
                break
        return sorted(ends)

    def _reachable(self, ends: set[int]) -> set[int]:
        """Return each offset that is reachable from `ends` on the same line."""
        reached: set[int] = set()
        end = -1
        for start in sorted(ends):
            if start <= end:
                continue
            stop = self._value.find("\n", start)
            end = len(self._value) if stop < 0 else stop
            reached.update(range(start, end + 1))
        return reached
