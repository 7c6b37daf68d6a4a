"""Variables and quotes in instructions: `$name`, `${name}` and every `${name…}` form of the Dockerfile reference."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from pyd_core.dockerfile.shell_patterns import replace_matches, trim_prefix, trim_suffix
from pyd_core.errors import DockerfileError

MAX_EXPANDED_LENGTH = 1 << 20
"""Limit for a text after expansion: twenty lines that double a variable multiply it by a million."""
MAX_DEPTH = 50
"""Limit for `${…}` inside each other."""
_SPECIAL = frozenset("@*#?-$!0")
"""Parameters of a POSIX shell whose name is one character."""


class Expansion(msgspec.Struct, frozen=True):
    """Result of an expansion."""

    text: str
    words: tuple[str, ...]
    """The text split at spaces outside quotes, also those in values."""
    matched: frozenset[str]
    """Names of variables that were used and set."""
    unmatched: frozenset[str]
    """Names of variables that were used and not set; forms with a default don't count."""


class ExpansionRules(msgspec.Struct, frozen=True, kw_only=True):
    """Rules of an expansion."""

    escape: str = "\\"
    keep_quotes: bool = False
    """Leave quotes in the text."""
    keep_escapes: bool = False
    """Leave escape characters in the text."""
    ignore_quotes: bool = False
    """Quotes are characters as any other."""
    keep_unset: bool = False
    """Leave variables that aren't set as they are written."""


DEFAULT_RULES = ExpansionRules()


def expand(text: str, values: Mapping[str, str], rules: ExpansionRules = DEFAULT_RULES) -> Expansion:
    """Replace the variables in a text and remove its quotes.

    Raises:
        DockerfileError: A quote or brace isn't closed, a form is unknown, or a required variable isn't set.
    """
    expander = _Expander(text, values, rules)
    try:
        result, words = expander.until("", keep_escapes=rules.keep_escapes)
    except DockerfileError as error:
        raise DockerfileError(f"failed to process {_shortened(text)!r}: {error.message}", hint=error.hint) from None
    return Expansion(result, tuple(words), frozenset(expander.matched), frozenset(expander.unmatched))


def _shortened(text: str) -> str:
    return text if len(text) <= 200 else f"{text[:200]}…"


class _Words:
    """Words of a text while it is expanded."""

    def __init__(self) -> None:
        self.finished: list[str] = []
        self._parts: list[str] = []
        self._is_open = False

    def add(self, text: str) -> None:
        """Add text in which spaces separate words."""
        for letter in text:
            if not letter.isspace():
                self.add_raw(letter)
            elif self._is_open:
                self.close()

    def add_raw(self, text: str) -> None:
        """Add text in which spaces belong to the word."""
        self._parts.append(text)
        self._is_open = True

    def close(self) -> None:
        """End the present word, if it has characters."""
        word = "".join(self._parts)
        if word:
            self.finished.append(word)
            self._parts.clear()
            self._is_open = False


class _Expander:
    def __init__(self, text: str, values: Mapping[str, str], rules: ExpansionRules) -> None:
        self._text = text
        self._values = values
        self._rules = rules
        self._offset = 0
        self._depth = 0
        self._length = 0
        self._keep_escapes = rules.keep_escapes
        self.matched: set[str] = set()
        self.unmatched: set[str] = set()

    def _peek(self) -> str:
        return self._text[self._offset : self._offset + 1]

    def _next(self) -> str:
        letter = self._text[self._offset : self._offset + 1]
        self._offset += 1
        return letter

    def until(self, stop: str, *, keep_escapes: bool) -> tuple[str, list[str]]:
        """Expand up to a stop character, or the end of the text if it is empty."""
        before, self._keep_escapes = self._keep_escapes, keep_escapes
        try:
            return self._until(stop)
        finally:
            self._keep_escapes = before

    def _until(self, stop: str) -> tuple[str, list[str]]:
        parts: list[str] = []
        words = _Words()
        while letter := self._peek():
            if stop and letter == stop:
                self._offset += 1
                words.close()
                return "".join(parts), words.finished
            if letter == "$":
                value = self._counted(self._dollar())
                parts.append(value)
                words.add(value)
            elif letter in "'\"" and not self._rules.ignore_quotes:
                value = self._single_quoted() if letter == "'" else self._double_quoted()
                parts.append(value)
                words.add_raw(value)
            else:
                self._offset += 1
                if letter == self._rules.escape:
                    if self._keep_escapes:
                        words.add_raw(letter)
                        parts.append(letter)
                    letter = self._next()
                    if not letter:
                        break
                    words.add_raw(letter)
                else:
                    words.add(letter)
                parts.append(letter)
        if stop:
            raise DockerfileError(f"unexpected end of statement while looking for matching {stop}")
        words.close()
        return "".join(parts), words.finished

    def _counted(self, value: str) -> str:
        self._length += len(value)
        if self._length > MAX_EXPANDED_LENGTH:
            raise DockerfileError("the text is too long after its variables are replaced")
        return value

    def _single_quoted(self) -> str:
        end = self._text.find("'", self._offset + 1)
        if end < 0:
            raise DockerfileError("unexpected end of statement while looking for matching single-quote")
        inner = self._text[self._offset + 1 : end]
        self._offset = end + 1
        return f"'{inner}'" if self._rules.keep_quotes else inner

    def _double_quoted(self) -> str:
        quote = '"' if self._rules.keep_quotes else ""
        parts = [quote]
        self._offset += 1
        while letter := self._peek():
            if letter == '"':
                self._offset += 1
                return "".join((*parts, quote))
            if letter == "$":
                parts.append(self._counted(self._dollar()))
                continue
            self._offset += 1
            if letter == self._rules.escape:
                if self._keep_escapes:
                    parts.append(letter)
                following = self._peek()
                if not following:
                    continue
                if following in {'"', "$", self._rules.escape}:
                    letter = self._next()
            parts.append(letter)
        raise DockerfileError("unexpected end of statement while looking for matching double-quote")

    def _dollar(self) -> str:
        self._offset += 1
        if self._peek() != "{":
            name = self._name()
            if not name:
                return "$"
            value = self._value(name)
            if value is None:
                return f"${name}" if self._rules.keep_unset else ""
            return value
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise DockerfileError("variables are nested too deep")
        try:
            return self._braces()
        finally:
            self._depth -= 1

    def _braces(self) -> str:
        self._offset += 1
        if not self._peek():
            raise DockerfileError("syntax error: missing '}'")
        if self._peek() in "{}:":
            raise DockerfileError("syntax error: bad substitution")
        name = self._name()
        form = self._next()
        if form == "}":
            value = self._value(name)
            if value is None:
                return f"${{{name}}}" if self._rules.keep_unset else ""
            return value
        if form == "/":
            return self._replaced(name)
        if form == ":":
            form += self._next()
        if form[-1:] not in {"+", "-", "?", "#", "%"}:
            raise DockerfileError(f"unsupported modifier ({form}) in substitution")
        word = self._inner("}", keep_escapes=form[-1] in "#%")
        value = self._value(name) if form[-1] not in "-+" else self._values.get(name)
        if value is None and self._rules.keep_unset:
            return f"${{{name}{form}{word}}}"
        return self._applied(name, form, word, value)

    def _applied(self, name: str, form: str, word: str, value: str | None) -> str:
        is_missing = value is None or (form[0] == ":" and not value)
        if form[-1] == "-":
            return word if is_missing else value or ""
        if form[-1] == "+":
            return "" if is_missing else word
        if form[-1] == "?":
            if is_missing:
                state = "unset" if value is None else "empty"
                raise DockerfileError(f"{name}: {word or f'is not allowed to be {state}'}")
            return value or ""
        is_greedy = word.startswith(form[-1])
        pattern = word[1:] if is_greedy else word
        trim = trim_prefix if form[-1] == "#" else trim_suffix
        return trim(pattern, value or "", is_greedy=is_greedy)

    def _replaced(self, name: str) -> str:
        replace_all = self._peek() == "/"
        if replace_all:
            self._offset += 1
        pattern = self._inner("/", keep_escapes=True)
        replacement = self._inner("}", keep_escapes=True)
        value = self._value(name)
        if value is None and self._rules.keep_unset:
            return f"${{{name}/{pattern}/{replacement}}}"
        return replace_matches(pattern, value or "", replacement, replace_all=replace_all)

    def _inner(self, stop: str, *, keep_escapes: bool) -> str:
        try:
            return self.until(stop, keep_escapes=keep_escapes)[0]
        except DockerfileError:
            if self._offset >= len(self._text) and self._depth == 1:
                missing = "'}'" if stop == "}" else "'/' in ${}"
                raise DockerfileError(f"syntax error: missing {missing}") from None
            raise

    def _name(self) -> str:
        start = self._offset
        first = self._peek()
        if first.isdigit():
            while self._peek().isdigit():
                self._offset += 1
        elif first and first in _SPECIAL:
            self._offset += 1
        else:
            while (letter := self._peek()) and (letter.isalnum() or letter == "_"):
                self._offset += 1
        return self._text[start : self._offset]

    def _value(self, name: str) -> str | None:
        value = self._values.get(name)
        (self.unmatched if value is None else self.matched).add(name)
        return value
