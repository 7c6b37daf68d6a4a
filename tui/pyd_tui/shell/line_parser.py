"""Taking a line apart as far as builtins and completion need it; what bash makes of it is bash's business."""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection

import msgspec

_PLAIN = re.compile(r"[A-Za-z0-9_@%+=:,./-]+")
_OPERATORS = ("&&", "||", ";;", "|&", ">>", "<<<", "<<", ">&", "<&", "&>", ";", "|", "&", ">", "<", "\n", "(", ")")
_ENDS_COMMAND = frozenset({"&&", "||", ";", "|", "|&", "&", "\n", "(", ";;"})


class ShellToken(msgspec.Struct, frozen=True):
    """A word or an operator as it was typed, quotes and all.

    Attributes:
        text: It.
        start: Where it begins in the line.
        operator: Whether it is an operator.
        open: Whether a quote in it isn't closed.
    """

    text: str
    start: int
    operator: bool = False
    open: bool = False


def tokens(line: str) -> list[ShellToken]:
    """Return the words and operators of a line."""
    found: list[ShellToken] = []
    place = 0
    while place < len(line):
        if line[place] in " \t":
            place += 1
            continue
        if line[place] == "#" and (place == 0 or line[place - 1] in " \t\n;&|("):
            end = line.find("\n", place)
            place = len(line) if end < 0 else end
            continue
        operator = next((each for each in _OPERATORS if line.startswith(each, place)), "")
        if operator:
            found.append(ShellToken(operator, place, operator=True))
            place += len(operator)
            continue
        end, unclosed = _word_end(line, place)
        found.append(ShellToken(line[place:end], place, open=unclosed))
        place = end
    return found


def _word_end(line: str, place: int) -> tuple[int, bool]:
    """Return where a word ends, and whether a quote in it isn't closed."""
    quote = ""
    while place < len(line):
        letter = line[place]
        if quote:
            if letter == "\\" and quote == '"':
                place += 1
            elif letter == quote:
                quote = ""
        elif letter == "\\":
            place += 1
        elif letter in "'\"":
            quote = letter
        elif letter in " \t\n;&|()<>":
            return place, False
        place += 1
    return min(place, len(line)), bool(quote)


class BuiltinCall(msgspec.Struct, frozen=True):
    """A line that begins with a builtin.

    Attributes:
        name: The builtin.
        arguments: Its arguments, unquoted.
        operator: What follows them: `|`, `>`, `&&`, `;` …; empty at the end of the line.
        rest: What follows the operator.
    """

    name: str
    arguments: tuple[str, ...]
    operator: str = ""
    rest: str = ""


def parse_call(line: str, names: Collection[str]) -> BuiltinCall | None:
    """Return the line as a builtin's call when its first word is the name of one, written plainly.

    Raises:
        ValueError: A quote isn't closed.
    """
    found = tokens(line)
    if not found or found[0].operator or found[0].text not in names:
        return None
    if len(found) > 1 and found[1].operator and found[1].text == "(":
        return None  # a function of that name is being defined
    arguments: list[str] = []
    for place, token in enumerate(found[1:], 1):
        if token.operator:
            if token.text == "\n" and place == len(found) - 1:
                break
            return BuiltinCall(
                found[0].text, tuple(arguments), token.text, line[token.start + len(token.text) :].strip()
            )
        arguments.append(unquote(token.text))
    return BuiltinCall(found[0].text, tuple(arguments))


def unquote(word: str) -> str:
    """Return a word without its quotes; variables and patterns in it stay as they are.

    Raises:
        ValueError: A quote isn't closed.
    """
    parts = shlex.split(word, comments=False)
    return parts[0] if parts else ""


def quote(text: str, opening: str = "") -> str:
    """Return a text as bash takes it for one word, with backslashes where few do, so that it reads as it was typed.

    Args:
        text: What the word shall be.
        opening: The quote that was typed already, if any.
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
    """Where in a line something is to be completed.

    Attributes:
        before: The words of the same command before it, unquoted; the command's name first.
        word: What of the word is there, as typed.
        text: The same, unquoted.
        opening: The quote that it begins with and that isn't closed.
        redirected: Whether it is a file that is written or read.
    """

    before: tuple[str, ...]
    word: str
    text: str
    opening: str = ""
    redirected: bool = False


_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\+?=")


def place_of(line: str) -> WordPosition:
    """Return what is being typed at the end of the line."""
    found = tokens(line)
    word = ""
    opening = ""
    if found and not found[-1].operator and (found[-1].open or found[-1].start + len(found[-1].text) == len(line)):
        word = found[-1].text
        if not (line.endswith(" ") and not found[-1].open and not line.endswith("\\ ")):
            opening = word[0] if found[-1].open and word[0] in "'\"" else ""
            found.pop()
    redirected = bool(found) and found[-1].operator and found[-1].text in (">", "<", ">>", "&>", "<<<")
    before: list[str] = []
    for token in found:
        if token.operator:
            if token.text in _ENDS_COMMAND:
                before.clear()
        elif before or not _ASSIGNMENT.match(token.text):
            before.append(_loose(token.text))
    return WordPosition(tuple(before), word, _loose(word), opening, redirected)


def _loose(word: str) -> str:
    """Unquote a word whose last quote may be missing."""
    for closing in ("", "'", '"'):
        try:
            return unquote(word + closing)
        except ValueError:
            continue
    return word
