"""`.dockerignore`: patterns of files that stay out of a build context (moby, `patternmatcher` and `ignorefile`)."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from typing import Protocol

import msgspec

from pyd_core.errors import InvalidInput
from pyd_core.regex import Pattern, compile_pattern
from pyd_core.sanitise import safe

IGNORE_FILE = ".dockerignore"
MAX_PATTERNS = 10_000
"""Limit for a file."""
_ESCAPED = frozenset(".+()|{}$")
"""Characters with a meaning in regular expressions that they don't have in patterns."""


def read_patterns(content: bytes) -> list[str]:
    """Return the patterns in an ignore file, as clients send them to engines.

    Raises:
        InvalidInput: There are too many.
    """
    patterns: list[str] = []
    for line in content.decode("utf-8", "replace").removeprefix("\ufeff").split("\n"):
        if line.startswith("#"):
            continue
        text = line.strip()
        if not text:
            continue
        is_exception = text.startswith("!")
        text = text[1:].strip() if is_exception else text
        if text:
            text = _clean(text)
            text = text[1:] if len(text) > 1 and text.startswith("/") else text
        patterns.append(f"!{text}" if is_exception else text)
        if len(patterns) > MAX_PATTERNS:
            raise InvalidInput(f"{IGNORE_FILE} has more than {MAX_PATTERNS:,} patterns")
    return patterns


class IgnoreState(msgspec.Struct, frozen=True):
    """Match of a directory against each pattern, which its files' matches start from."""

    matched: tuple[bool, ...]


class IgnorePatterns:
    """Ignore patterns, of which the last match decides; `!` includes again what others exclude.

    Args:
        patterns: Patterns as `read_patterns` returns them.

    Raises:
        InvalidInput: A pattern can't be read.
    """

    def __init__(self, patterns: Iterable[str]) -> None:
        self._rules: list[_Rule] = []
        for pattern in patterns:
            text = pattern.strip()
            if text:
                self._rules.append(_Rule(_clean(text)))
        self.has_exceptions = any(rule.is_exception for rule in self._rules)
        """Whether a file in an excluded directory may have to be sent after all."""

    def match(self, path: str, parent: IgnoreState | None = None) -> tuple[bool, IgnoreState]:
        """Return whether a path is excluded, and the state for what is in it.

        Args:
            path: Path relative to the context, with slashes.
            parent: State of its directory; None for one in the context itself.
        """
        is_excluded = False
        matched = [False] * len(self._rules)
        for index, rule in enumerate(self._rules):
            is_match = parent is not None and parent.matched[index]
            if not is_match:
                if rule.is_exception != is_excluded:
                    continue
                is_match = rule.matches(path)
            matched[index] = is_match
            if is_match:
                is_excluded = not rule.is_exception
        return is_excluded, IgnoreState(tuple(matched))

    def excludes(self, path: str) -> bool:
        """Return whether a path, relative to the context with slashes, is excluded: it or a parent matches."""
        state: IgnoreState | None = None
        is_excluded = False
        for prefix in _prefixes(path):
            is_excluded, state = self.match(prefix, state)
        return is_excluded

    def excluding_pattern(self, path: str) -> str:
        """Return the pattern that excludes a path, as written; an empty text if the path isn't excluded."""
        if not self.excludes(path):
            return ""
        prefixes = _prefixes(path)
        for rule in reversed(self._rules):
            if not rule.is_exception and any(rule.matches(prefix) for prefix in prefixes):
                return rule.pattern
        return ""

    def may_include_below(self, directory: str) -> bool:
        """Return whether an exception may include files in an excluded directory."""
        return any(
            rule.is_exception and (rule.has_wildcard or f"{rule.pattern}/".startswith(f"{directory}/"))
            for rule in self._rules
        )


class _Matcher(Protocol):
    def __call__(self, path: str, /) -> bool: ...


class _Rule:
    def __init__(self, text: str) -> None:
        self.is_exception = text.startswith("!")
        self.pattern = text[1:] if self.is_exception else text
        if not self.pattern:
            raise InvalidInput('illegal exclusion pattern: "!"', hint=f"a pattern follows ! in {IGNORE_FILE}")
        if not is_glob(self.pattern):
            raise InvalidInput(
                f"can't read the pattern {safe(self.pattern)!r} of {IGNORE_FILE}: syntax error in pattern"
            )
        self.has_wildcard = any(letter in self.pattern for letter in "*?[\\")
        self.matches = _matcher(self.pattern)


def _matcher(pattern: str) -> _Matcher:
    """Return how a pattern matches: a text, a prefix before `**`, a suffix after `**`, or an expression."""
    kind, expression = _translate(pattern)
    if kind == "exact":
        return lambda path: path == pattern
    if kind == "prefix":
        prefix = pattern[:-2]
        return lambda path: path.startswith(prefix)
    if kind == "suffix":
        suffix = pattern[2:]
        return lambda path: path.endswith(suffix) or (suffix.startswith("/") and path == suffix[1:])
    try:
        compiled: Pattern = compile_pattern(expression)
    except InvalidInput as error:
        raise InvalidInput(f"can't read the pattern {safe(pattern)!r} of {IGNORE_FILE}: {error.message}") from error
    return lambda path: compiled.search(path) is not None


def _translate(pattern: str) -> tuple[str, str]:
    """Return the kind of a pattern and its expression; `*` and `?` stay within a name, `**` crosses slashes."""
    kind, text, offset = "exact", "(?-s)^", 0
    while offset < len(pattern):
        letter = pattern[offset]
        is_first = offset == 0
        offset += 1
        if pattern.startswith("**", offset - 1):
            offset += 1
            if pattern.startswith("/", offset):
                offset += 1
            if offset == len(pattern):
                kind, text = ("prefix", text) if kind == "exact" else ("expression", f"{text}.*")
            else:
                kind, text = "expression", f"{text}(.*/)?"
            if is_first:
                kind = "suffix"
        elif letter == "*":
            kind, text = "expression", f"{text}[^/]*"
        elif letter == "?":
            kind, text = "expression", f"{text}[^/]"
        elif letter in _ESCAPED:
            text += f"\\{letter}"
        elif letter == "\\" and offset < len(pattern):
            kind, text = "expression", f"{text}\\{pattern[offset]}"
            offset += 1
        elif letter in "[]":
            kind, text = "expression", text + letter
        else:
            text += letter
    return kind, f"{text}$"


def is_glob(pattern: str) -> bool:
    """Return whether a pattern is well-formed for Go's `filepath.Match`."""
    offset = 0
    while offset < len(pattern):
        letter = pattern[offset]
        offset += 1
        if letter == "\\":
            if offset == len(pattern):
                return False
            offset += 1
        elif letter == "[":
            end = _class_end(pattern, offset)
            if end < 0:
                return False
            offset = end
    return True


def _class_end(pattern: str, offset: int) -> int:
    """Return the offset after a character class whose content begins at an offset, or -1."""
    if pattern.startswith("^", offset):
        offset += 1
    count = 0
    while offset < len(pattern):
        if pattern[offset] == "]" and count:
            return offset + 1
        for is_upper in (False, True):
            if is_upper:
                if not pattern.startswith("-", offset):
                    break
                offset += 1
            if offset >= len(pattern) or pattern[offset] in "-]":
                return -1
            offset += 2 if pattern[offset] == "\\" else 1
            if offset >= len(pattern):
                return -1
        count += 1
    return -1


def _clean(path: str) -> str:
    """Return a path as Go's `filepath.Clean` does."""
    clean = posixpath.normpath(path)
    return clean[1:] if clean.startswith("//") else clean


def _prefixes(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[: count + 1]) for count in range(len(parts))]
