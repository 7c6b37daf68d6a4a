"""Variables and quotes in a Dockerfile's instructions, as its reference has them under "Environment replacement"."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pyd_core.errors import InvalidInput

_NAME = re.compile(r"[A-Za-z_]\w*|\d")
_WORD = r"""(?:{escape}.|"(?:{escape}.|[^"{escape}])*"|'[^']*'|[^\s"'{escape}])+"""
"""A word as it stands there, quotes and all. No character fits two of its parts, so nothing is ever tried twice."""
MAX_WORD_LENGTH = 1 << 20
"""Of what a word is with its variables put in: twenty lines that double a variable make a million of it."""


class Lexer:
    """Splits one text into words, with variables put in and quotes taken away.

    Args:
        text: What follows an instruction.
        values: Of the variables.
        escape: The Dockerfile's escape character.
    """

    def __init__(self, text: str, values: Mapping[str, str], escape: str = "\\") -> None:
        self._text = text
        self._values = values
        self._escape = escape
        self._at = 0

    def words(self) -> list[str]:
        """Returns the words; a variable's value is never split.

        Raises:
            InvalidInput: A quote or brace isn't closed, or a variable must be set and isn't.
        """
        found: list[str] = []
        while True:
            while self._at < len(self._text) and self._text[self._at].isspace():
                self._at += 1
            if self._at >= len(self._text):
                return found
            found.append(self._until(" \t"))

    def whole(self) -> str:
        """Returns all of it as one word.

        Raises:
            InvalidInput: As for `words`.
        """
        return self._until("")

    def _until(self, ends: str) -> str:
        made = ""
        while self._at < len(self._text) and self._text[self._at] not in ends:
            letter = self._text[self._at]
            self._at += 1
            if letter == "'":
                made += self._single()
            elif letter == '"':
                made += self._double()
            elif letter == "$":
                made += self._variable()
            elif letter == self._escape and self._at < len(self._text):
                made += self._text[self._at]
                self._at += 1
            else:
                made += letter
            self._check_length(made)
        return made

    def _check_length(self, made: str) -> None:
        if len(made) > MAX_WORD_LENGTH:
            raise InvalidInput(f"a word becomes too long with its variables put in: {self._shown}")

    def _single(self) -> str:
        end = self._text.find("'", self._at)
        if end < 0:
            raise InvalidInput(f"unexpected end of statement while looking for matching single-quote: {self._shown}")
        part = self._text[self._at : end]
        self._at = end + 1
        return part

    def _double(self) -> str:
        made = ""
        while self._at < len(self._text):
            letter = self._text[self._at]
            self._at += 1
            if letter == '"':
                return made
            if letter == "$":
                made += self._variable()
            elif letter == self._escape and self._text[self._at : self._at + 1] in {'"', "$", self._escape}:
                made += self._text[self._at]
                self._at += 1
            else:
                made += letter
            self._check_length(made)
        raise InvalidInput(f"unexpected end of statement while looking for matching double-quote: {self._shown}")

    @property
    def _shown(self) -> str:
        return repr(self._text[:100])

    def _variable(self) -> str:
        braced = self._text.startswith("{", self._at)
        match = _NAME.match(self._text, self._at + braced)
        if match is None:
            if braced:
                raise InvalidInput(f"bad substitution in {self._shown}")
            return "$"
        self._at = match.end()
        value = self._values.get(match[0])
        if not braced:
            return value or ""
        if self._text.startswith("}", self._at):
            self._at += 1
            return value or ""
        return self._modified(match[0], value)

    def _modified(self, name: str, value: str | None) -> str:
        """Reads `:-WORD}`, `:+WORD}`, `:?WORD}`, and the same without the colon, after a variable's name."""
        colon = self._text.startswith(":", self._at)
        self._at += colon
        kind = self._text[self._at : self._at + 1]
        self._at += 1
        if kind not in {"-", "+", "?"}:
            raise InvalidInput(f"unsupported modifier in substitution: {self._shown}")
        word = self._until("}")
        if not self._text.startswith("}", self._at):
            raise InvalidInput(f"a substitution isn't closed: {self._shown}")
        self._at += 1
        is_set = bool(value) if colon else value is not None
        if kind == "+":
            return word if is_set else ""
        if kind == "?" and not is_set:
            raise InvalidInput(f"{name}: {word or 'parameter not set'}")
        return (value or "") if is_set else word


def assignments(
    text: str, values: Mapping[str, str], escape: str = "\\", *, word: str = "ENV"
) -> list[tuple[str, str]]:
    """Reads what follows ENV and LABEL: `NAME=VALUE …`, or the older `NAME VALUE`.

    Raises:
        InvalidInput: A word has no `=`, no name before it, or there is no value.
    """
    first = re.match(_WORD.format(escape=re.escape(escape)), text, re.DOTALL)
    if first is None or "=" not in first[0]:
        name, _, rest = text.partition(" ")
        if not rest.strip():
            raise InvalidInput(f"{word}: {name[:100]} must have a value: NAME=VALUE")
        return [(name, Lexer(rest.strip(), values, escape).whole())]
    found = [word.partition("=") for word in Lexer(text, values, escape).words()]
    for name, equals, _ in found:
        if equals and not name:
            raise InvalidInput(f"{word} names can not be blank")
        if not equals:
            raise InvalidInput(f"{word}: syntax error: expected NAME=VALUE in {text[:100]!r}")
    return [(name, value) for name, _, value in found]
