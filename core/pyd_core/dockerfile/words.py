"""Words of a logical line: options, quoted words, and JSON lists; quotes and variables are kept."""

from __future__ import annotations

import re

import msgspec

from pyd_core.errors import DockerfileError

WHITESPACE = re.compile(r"[\t\v\f\r ]+")


def split_keyword(line: str) -> tuple[str, str]:
    """Split a logical line into keyword and the rest."""
    parts = WHITESPACE.split(line.strip(), maxsplit=1)
    return parts[0], parts[1].strip() if len(parts) > 1 else ""


def split_flags(text: str) -> tuple[tuple[str, ...], str]:
    """Split `--name=value` options from the text before the arguments; quotes in options are removed."""
    flags: list[str] = []
    offset = 0
    while True:
        while offset < len(text) and text[offset].isspace():
            offset += 1
        if not text.startswith("--", offset):
            return tuple(flags), text[offset:]
        word, end = _flag_word(text, offset)
        if word == "--":
            return tuple(flags), text[offset:]
        flags.append(word)
        offset = end


def _flag_word(text: str, offset: int) -> tuple[str, int]:
    letters: list[str] = []
    quote = ""
    while offset < len(text):
        letter = text[offset]
        if not quote and letter.isspace():
            break
        offset += 1
        if letter == quote:
            quote = ""
        elif not quote and letter in "'\"":
            quote = letter
        elif letter == "\\":
            letters.append(text[offset : offset + 1])
            offset += 1
        else:
            letters.append(letter)
    return "".join(letters), offset


def split_words(text: str, escape: str) -> tuple[str, ...]:
    """Split at spaces outside quotes; quotes and escape characters stay in the words."""
    words: list[str] = []
    letters: list[str] = []
    quote = ""
    has_quotes = False
    offset = 0
    while offset < len(text):
        letter = text[offset]
        offset += 1
        if not quote and letter.isspace():
            if letters or has_quotes:
                words.append("".join(letters))
            letters, has_quotes = [], False
            continue
        if not quote and letter in "'\"":
            quote, has_quotes = letter, True
        elif letter == quote:
            quote = ""
        elif letter == escape and quote != "'":
            if offset == len(text):
                break
            letters.append(letter)
            letter = text[offset]
            offset += 1
        letters.append(letter)
    if letters or has_quotes:
        words.append("".join(letters))
    return tuple(words)


def split_whitespace(text: str) -> tuple[str, ...]:
    """Split at whitespace without regard to quotes."""
    return tuple(WHITESPACE.split(text)) if text else ()


def parse_json_list(text: str) -> tuple[str, ...] | None:
    """Parse the exec form; return None for anything but a JSON list, which is the shell form.

    Raises:
        DockerfileError: It is a JSON list of something other than strings.
    """
    if not text.lstrip().startswith("["):
        return None
    try:
        items = msgspec.json.decode(text.encode("utf-8", "replace"))
    except (msgspec.DecodeError, RecursionError):
        return None
    if not isinstance(items, list):
        return None
    if not all(isinstance(item, str) for item in items):
        raise DockerfileError("when using JSON array syntax, arrays must be comprised of strings only")
    return tuple(items)
