"""`.dockerignore`: patterns of files that stay out of a build context (moby, `patternmatcher`)."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable

from pyd_core.errors import InvalidInput
from pyd_core.regex import Pattern, compile_pattern, escape
from pyd_core.sanitise import safe


class Ignore:
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
            keeps = text.startswith("!")
            pattern = posixpath.normpath(text.removeprefix("!").strip()).lstrip("/")
            if pattern not in {"", "."}:
                self._patterns.append((_compiled(pattern), keeps))
        self.takes_back = any(keeps for _, keeps in self._patterns)
        """Whether a file in an excluded directory may have to be sent after all."""

    def leaves_out(self, path: str) -> bool:
        """Return whether a path, relative to the context with slashes, is excluded: it or a parent matches."""
        out = False
        parts = path.split("/")
        above = ["/".join(parts[: count + 1]) for count in range(len(parts))]
        for pattern, keeps in self._patterns:
            if out == keeps and any(pattern.fullmatch(each) for each in above):
                out = not keeps
        return out


def _compiled(pattern: str) -> Pattern:
    """Translate a pattern: `*` and `?` stay within a name, `**` crosses slashes."""
    text, place = "", 0
    while place < len(pattern):
        letter = pattern[place]
        if pattern.startswith("**", place):
            while pattern.startswith("*", place):
                place += 1
            if pattern.startswith("/", place):
                place += 1
                text += "(?:.*/)?"
            else:
                text += ".*"
            continue
        if letter == "*":
            text += "[^/]*"
        elif letter == "?":
            text += "[^/]"
        elif letter == "[" and (end := pattern.find("]", place + 2)) > 0:
            inner = pattern[place + 1 : end].replace("\\", "\\\\").replace("[", "\\[")
            text += f"[{inner}]"
            place = end
        elif letter == "\\" and place + 1 < len(pattern):
            place += 1
            text += escape(pattern[place])
        else:
            text += escape(letter)
        place += 1
    try:
        return compile_pattern(text)
    except InvalidInput as error:
        raise InvalidInput(f"can't read the pattern {safe(pattern)!r} of .dockerignore: {error.message}") from error
