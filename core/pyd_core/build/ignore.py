"""`.dockerignore`: patterns of files that stay out of a build context (moby, `patternmatcher`)."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable

from pyd_core.errors import InvalidInput
from pyd_core.regex import Pattern, compile_pattern, escape
from pyd_core.sanitise import safe


class IgnorePatterns:
    """Ignore patterns, of which the last match decides; `!` includes again what others exclude.

    Args:
        lines: Lines of the file.

    Raises:
        InvalidInput: A pattern can't be read.
    """

    def __init__(self, lines: Iterable[str]) -> None:
        self._patterns: list[tuple[Pattern, bool]] = []
        for line in lines:
            text = line.strip().removeprefix("\ufeff")
            if not text or text.startswith("#"):
                continue
            is_exception = text.startswith("!")
            pattern = posixpath.normpath(text.removeprefix("!").strip()).lstrip("/")
            if pattern not in {"", "."}:
                self._patterns.append((_compile(pattern), is_exception))
        self.has_exceptions = any(keeps for _, keeps in self._patterns)
        """Whether a file in an excluded directory may have to be sent after all."""

    def excludes(self, path: str) -> bool:
        """Return whether a path, relative to the context with slashes, is excluded: it or a parent matches."""
        is_excluded = False
        parts = path.split("/")
        prefixes = ["/".join(parts[: count + 1]) for count in range(len(parts))]
        for pattern, is_exception in self._patterns:
            if is_excluded == is_exception and any(pattern.fullmatch(prefix) for prefix in prefixes):
                is_excluded = not is_exception
        return is_excluded


def _compile(pattern: str) -> Pattern:
    """Translate a pattern: `*` and `?` stay within a name, `**` crosses slashes."""
    text, offset = "", 0
    while offset < len(pattern):
        letter = pattern[offset]
        if pattern.startswith("**", offset):
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
        elif letter == "[" and (end := pattern.find("]", offset + 2)) > 0:
            inner = pattern[offset + 1 : end].replace("\\", "\\\\").replace("[", "\\[")
            text += f"[{inner}]"
            offset = end
        elif letter == "\\" and offset + 1 < len(pattern):
            offset += 1
            text += escape(pattern[offset])
        else:
            text += escape(letter)
        offset += 1
    try:
        return compile_pattern(text)
    except InvalidInput as error:
        raise InvalidInput(f"can't read the pattern {safe(pattern)!r} of .dockerignore: {error.message}") from error
