"""Untrusted regular expressions, matched by RE2 in time linear in the text; the syntax is Go's.

Python's `re` can take exponential time and blocks every thread meanwhile, so it only runs pyd's own patterns.
"""

from __future__ import annotations

from typing import Protocol, cast

from pyd_core.errors import InvalidInput

MAX_PATTERN_BYTES = 1 << 16


class Pattern(Protocol):
    """A compiled expression."""

    def search(self, text: str, /) -> object | None:
        """Return a match anywhere in a text, or None."""
        ...

    def fullmatch(self, text: str, /) -> object | None:
        """Return a match of the complete text, or None."""
        ...


class _Pattern:
    """RE2 needs UTF-8: other bytes, as in file names, become replacement characters in both pattern and text."""

    def __init__(self, compiled: Pattern) -> None:
        self._compiled = compiled

    def search(self, text: str, /) -> object | None:
        return self._compiled.search(_valid(text))

    def fullmatch(self, text: str, /) -> object | None:
        return self._compiled.fullmatch(_valid(text))


def compile_pattern(pattern: str) -> Pattern:
    """Compile an expression; a dot also matches line feeds.

    Raises:
        InvalidInput: The expression is malformed or too large; the message is RE2's reason.
    """
    import re2  # type: ignore[import-untyped]  # noqa: PLC0415 - loaded for the first untrusted expression

    if len(pattern) > MAX_PATTERN_BYTES:
        raise InvalidInput("the expression is too long")
    options = re2.Options()
    options.log_errors = False
    options.dot_nl = True
    try:
        return _Pattern(cast("Pattern", re2.compile(_valid(pattern), options)))
    except re2.error as error:
        reason = error.args[0] if error.args else b""
        raise InvalidInput(reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)) from error


def escape(text: str) -> str:
    """Return an expression that matches a text and nothing else."""
    return "".join(letter if letter.isalnum() or letter == "_" else f"\\x{{{ord(letter):x}}}" for letter in text)


def _valid(text: str) -> str:
    return text if text.isascii() else text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
