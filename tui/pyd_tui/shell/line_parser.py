"""A parser of command lines, as far as builtins and completion need it; bash parses the rest."""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection

import msgspec

_PLAIN = re.compile(r"[A-Za-z0-9_@%+=:,./-]+")
_OPERATORS = ("&&", "||", ";;", "|&", ">>", "<<<", "<<", ">&", "<&", "&>", ";", "|", "&", ">", "<", "\n", "(", ")")
_ENDS_COMMAND = frozenset({"&&", "||", ";", "|", "|&", "&", "\n", "(", ";;"})


class ShellToken(msgspec.Struct, frozen=True):
    """A word or an operator as typed, with its quotes.

    Attributes:
        text: The text.
        start: Its offset in the line.
        operator: Whether it is an operator.
        open: Whether it has an unclosed quote.
    """

    text: str
    start: int
    operator: bool = False
    open: bool = False


def tokens(line: str) -> list[ShellToken]:
    """Return the words and operators of a line."""
    result: list[ShellToken] = []
    offset = 0
    while offset < len(line):
        if line[offset] in " \t":
            offset += 1
            continue
        if line[offset] == "#" and (offset == 0 or line[offset - 1] in " \t\n;&|("):
            end = line.find("\n", offset)
            offset = len(line) if end < 0 else end
            continue
        operator = next((known for known in _OPERATORS if line.startswith(known, offset)), "")
        if operator:
            result.append(ShellToken(operator, offset, operator=True))
            offset += len(operator)
            continue
        end, unclosed = _word_end(line, offset)
        result.append(ShellToken(line[offset:end], offset, open=unclosed))
        offset = end
    return result


def _word_end(line: str, offset: int) -> tuple[int, bool]:
    """Return the end of a word, and whether it has an unclosed quote."""
    quote = ""
    while offset < len(line):
        letter = line[offset]
        if quote:
            if letter == "\\" and quote == '"':
                offset += 1
            elif letter == quote:
                quote = ""
        elif letter == "\\":
            offset += 1
        elif letter in "'\"":
            quote = letter
        elif letter in " \t\n;&|()<>":
            return offset, False
        offset += 1
    return min(offset, len(line)), bool(quote)


class BuiltinCall(msgspec.Struct, frozen=True):
    """A line that starts with a builtin.

    Attributes:
        name: The builtin.
        arguments: Its arguments, unquoted.
        operator: The operator after them: `|`, `>`, `&&`, `;` …; empty at the end of the line.
        rest: The text after the operator.
    """

    name: str
    arguments: tuple[str, ...]
    operator: str = ""
    rest: str = ""


def parse_call(line: str, names: Collection[str]) -> BuiltinCall | None:
    """Return the line as a builtin's call if its first word is, unquoted, the name of one.

    Raises:
        ValueError: A quote isn't closed.
    """
    words = tokens(line)
    if not words or words[0].operator or words[0].text not in names:
        return None
    if len(words) > 1 and words[1].operator and words[1].text == "(":
        return None  # a function of that name is being defined
    arguments: list[str] = []
    for index, token in enumerate(words[1:], 1):
        if token.operator:
            if token.text == "\n" and index == len(words) - 1:
                break
            return BuiltinCall(
                words[0].text, tuple(arguments), token.text, line[token.start + len(token.text) :].strip()
            )
        arguments.append(unquote(token.text))
    return BuiltinCall(words[0].text, tuple(arguments))


def unquote(word: str) -> str:
    """Return a word without its quotes; variables and patterns in it stay as they are.

    Raises:
        ValueError: A quote isn't closed.
    """
    parts = shlex.split(word, comments=False)
    return parts[0] if parts else ""


def quote(text: str, opening: str = "") -> str:
    """Return a text quoted as one bash word; few special characters get backslashes, so that it reads as typed.

    Args:
        text: The word's text.
        opening: The quote already typed, if any.
    """
    if not text.isprintable():
        escaped = "".join(_escaped(letter) for letter in text)
        return f"$'{escaped}'"
    if opening == "'":
        return "'" + text.replace("'", "'\\''") + "'"
    if opening == '"':
        return '"' + re.sub(r'([\\"$`])', r"\\\1", text) + '"'
    return text if _PLAIN.fullmatch(text) else re.sub(r"([^A-Za-z0-9_@%+=:,./~\u0080-\U0010ffff-])", r"\\\1", text)


def _escaped(letter: str) -> str:
    if letter in "'\\":
        return f"\\{letter}"
    if letter.isprintable():
        return letter
    return "".join(f"\\x{byte:02x}" for byte in letter.encode(errors="surrogateescape"))


class WordPosition(msgspec.Struct, frozen=True):
    """The word to complete at the end of a line.

    Attributes:
        before: The command's words before it, unquoted; the command's name first.
        word: The word so far, as typed.
        text: The same, unquoted.
        opening: The unclosed quote that it starts with.
        redirected: Whether it is the file of a redirection.
    """

    before: tuple[str, ...]
    word: str
    text: str
    opening: str = ""
    redirected: bool = False


_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\+?=")


def position_at_end(line: str) -> WordPosition:
    """Return the word being typed at the end of the line."""
    words = tokens(line)
    word = ""
    opening = ""
    if words and not words[-1].operator and (words[-1].open or words[-1].start + len(words[-1].text) == len(line)):
        word = words[-1].text
        if not (line.endswith(" ") and not words[-1].open and not line.endswith("\\ ")):
            opening = word[0] if words[-1].open and word[0] in "'\"" else ""
            words.pop()
    redirected = bool(words) and words[-1].operator and words[-1].text in (">", "<", ">>", "&>", "<<<")
    before: list[str] = []
    for token in words:
        if token.operator:
            if token.text in _ENDS_COMMAND:
                before.clear()
        elif before or not _ASSIGNMENT.match(token.text):
            before.append(_unquote_partial(token.text))
    return WordPosition(tuple(before), word, _unquote_partial(word), opening, redirected)


def _unquote_partial(word: str) -> str:
    """Unquote a word whose last quote may be missing."""
    for closing in ("", "'", '"'):
        try:
            return unquote(word + closing)
        except ValueError:
            continue
    return word
