"""Variables and quotes in a Dockerfile's instructions, see "Environment replacement" in its reference."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pyd_core.errors import InvalidInput

_NAME = re.compile(r"[A-Za-z_]\w*|\d")
_WORD = r"""(?:{escape}.|"(?:{escape}.|[^"{escape}])*"|'[^']*'|[^\s"'{escape}])+"""
"""Word including its quotes. No character fits two of its parts, so there is no backtracking."""
MAX_WORD_LENGTH = 1 << 20
"""Limit for a word after substitution: twenty lines that double a variable multiply it by a million."""


class Lexer:
    """Lexer that splits a text into words, substitutes variables and removes quotes.

    Args:
        text: The text after an instruction.
        values: The values of the variables.
        escape: The Dockerfile's escape character.
    """

    def __init__(self, text: str, values: Mapping[str, str], escape: str = "\\") -> None:
        self._text = text
        self._values = values
        self._escape = escape
        self._offset = 0

    def words(self) -> list[str]:
        """Return the words; a variable's value is never split.

        Raises:
            InvalidInput: A quote or brace isn't closed, or a required variable isn't set.
        """
        words: list[str] = []
        while True:
            while self._offset < len(self._text) and self._text[self._offset].isspace():
                self._offset += 1
            if self._offset >= len(self._text):
                return words
            words.append(self._until(" \t"))

    def whole(self) -> str:
        """Return the whole text as one word.

        Raises:
            InvalidInput: As for `words`.
        """
        return self._until("")

    def _until(self, ends: str) -> str:
        word = ""
        while self._offset < len(self._text) and self._text[self._offset] not in ends:
            letter = self._text[self._offset]
            self._offset += 1
            if letter == "'":
                word += self._single()
            elif letter == '"':
                word += self._double()
            elif letter == "$":
                word += self._variable()
            elif letter == self._escape and self._offset < len(self._text):
                word += self._text[self._offset]
                self._offset += 1
            else:
                word += letter
            self._check_length(word)
        return word

    def _check_length(self, word: str) -> None:
        if len(word) > MAX_WORD_LENGTH:
            raise InvalidInput(f"a word becomes too long with its variables put in: {self._shown}")

    def _single(self) -> str:
        end = self._text.find("'", self._offset)
        if end < 0:
            raise InvalidInput(f"unexpected end of statement while looking for matching single-quote: {self._shown}")
        part = self._text[self._offset : end]
        self._offset = end + 1
        return part

    def _double(self) -> str:
        text = ""
        while self._offset < len(self._text):
            letter = self._text[self._offset]
            self._offset += 1
            if letter == '"':
                return text
            if letter == "$":
                text += self._variable()
            elif letter == self._escape and self._text[self._offset : self._offset + 1] in {'"', "$", self._escape}:
                text += self._text[self._offset]
                self._offset += 1
            else:
                text += letter
            self._check_length(text)
        raise InvalidInput(f"unexpected end of statement while looking for matching double-quote: {self._shown}")

    @property
    def _shown(self) -> str:
        return repr(self._text[:100])

    def _variable(self) -> str:
        braced = self._text.startswith("{", self._offset)
        match = _NAME.match(self._text, self._offset + braced)
        if match is None:
            if braced:
                raise InvalidInput(f"bad substitution in {self._shown}")
            return "$"
        self._offset = match.end()
        value = self._values.get(match[0])
        if not braced:
            return value or ""
        if self._text.startswith("}", self._offset):
            self._offset += 1
            return value or ""
        return self._modified(match[0], value)

    def _modified(self, name: str, value: str | None) -> str:
        """Parse `:-WORD}`, `:+WORD}`, `:?WORD}`, and the same without the colon, after a variable's name."""
        colon = self._text.startswith(":", self._offset)
        self._offset += colon
        kind = self._text[self._offset : self._offset + 1]
        self._offset += 1
        if kind not in {"-", "+", "?"}:
            raise InvalidInput(f"unsupported modifier in substitution: {self._shown}")
        word = self._until("}")
        if not self._text.startswith("}", self._offset):
            raise InvalidInput(f"a substitution isn't closed: {self._shown}")
        self._offset += 1
        is_set = bool(value) if colon else value is not None
        if kind == "+":
            return word if is_set else ""
        if kind == "?" and not is_set:
            raise InvalidInput(f"{name}: {word or 'parameter not set'}")
        return (value or "") if is_set else word


def parse_assignments(
    text: str, values: Mapping[str, str], escape: str = "\\", *, word: str = "ENV"
) -> list[tuple[str, str]]:
    """Parse the arguments of ENV and LABEL: `NAME=VALUE …`, or the older `NAME VALUE`.

    Raises:
        InvalidInput: A word has no `=` or no name, or a value is missing.
    """
    first = re.match(_WORD.format(escape=re.escape(escape)), text, re.DOTALL)
    if first is None or "=" not in first[0]:
        name, _, rest = text.partition(" ")
        if not rest.strip():
            raise InvalidInput(f"{word}: {name[:100]} must have a value: NAME=VALUE")
        return [(name, Lexer(rest.strip(), values, escape).whole())]
    pairs = [word.partition("=") for word in Lexer(text, values, escape).words()]
    for name, equals, _ in pairs:
        if equals and not name:
            raise InvalidInput(f"{word} names can not be blank")
        if not equals:
            raise InvalidInput(f"{word}: syntax error: expected NAME=VALUE in {text[:100]!r}")
    return [(name, value) for name, _, value in pairs]
