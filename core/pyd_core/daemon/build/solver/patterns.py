"""Patterns of copies: wildcards of one path, and lists that include or exclude files.

Wildcards are those of Go's `filepath.Match`; lists have the form of `.dockerignore` (moby/patternmatcher), where the
last match decides, `!` turns a pattern around and a match of a directory covers what is below it.
"""

from __future__ import annotations

import posixpath
from collections.abc import Sequence

from pyd_core.errors import InvalidInput
from pyd_core.regex import Pattern, compile_pattern, escape

MAX_PATTERNS = 10_000
_WILD = frozenset("*?[\\")


def has_wildcard(name: str) -> bool:
    """Return whether a name is a pattern."""
    return not _WILD.isdisjoint(name)


def compile_name(pattern: str) -> Pattern:
    """Compile a wildcard for one name of a path.

    Raises:
        InvalidInput: It is malformed.
    """
    return compile_pattern(_translate(pattern, crosses=False))


class PatternList:
    """A list of patterns."""

    def __init__(self, patterns: Sequence[str]) -> None:
        if len(patterns) > MAX_PATTERNS:
            raise InvalidInput(f"more than {MAX_PATTERNS} patterns")
        self._patterns: list[tuple[Pattern, bool]] = []
        for text in patterns:
            is_exception = text.startswith("!")
            cleaned = posixpath.normpath(text.removeprefix("!").strip().lstrip("/") or ".")
            if cleaned == ".":
                cleaned = "**"
            self._patterns.append((compile_pattern(_translate(cleaned, crosses=True)), is_exception))
        self.has_exceptions = any(is_exception for _, is_exception in self._patterns)

    def __bool__(self) -> bool:
        return bool(self._patterns)

    def matches(self, path: str) -> bool:
        """Return whether a path without a leading slash, or a directory above it, matches."""
        is_matched = False
        prefixes: list[str] | None = None
        for pattern, is_exception in self._patterns:
            if is_matched != is_exception:  # only what would change the outcome is tried
                continue
            if prefixes is None:
                parts = path.split("/")
                prefixes = ["/".join(parts[: count + 1]) for count in range(len(parts))]
            if any(pattern.fullmatch(prefix) for prefix in prefixes):
                is_matched = not is_exception
        return is_matched


def _translate(pattern: str, *, crosses: bool) -> str:
    text, offset = "", 0
    while offset < len(pattern):
        letter = pattern[offset]
        if crosses and pattern.startswith("**", offset):
            while pattern.startswith("*", offset):
                offset += 1
            if pattern.startswith("/", offset):
                offset += 1
                text += "(?:.*/)?"
            else:
                text += ".*"
            continue
        if letter == "*":
            text += "[^/]*"
        elif letter == "?":
            text += "[^/]"
        elif letter == "[":
            offset, part = _bracket(pattern, offset)
            text += part
        elif letter == "\\" and offset + 1 < len(pattern):
            offset += 1
            text += escape(pattern[offset])
        else:
            text += escape(letter)
        offset += 1
    return text


def _bracket(pattern: str, offset: int) -> tuple[int, str]:
    """Translate a character class and return the offset of its end."""
    end = offset + 1
    if pattern.startswith("^", end):
        end += 1
    start = end
    while end < len(pattern) and (pattern[end] != "]" or end == start):
        end += 2 if pattern[end] == "\\" else 1
    if end >= len(pattern):
        raise InvalidInput(f"syntax error in pattern: {pattern[:80]!r}")
    inner = "".join(f"\\{letter}" if letter in "[]&~" else letter for letter in pattern[start:end])
    return end, f"[{'^' if start > offset + 1 else ''}{inner}]"
