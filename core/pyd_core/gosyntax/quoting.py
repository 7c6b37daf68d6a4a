"""Strings and characters quoted as Go's `%q` does (package strconv, `Quote` and `QuoteRune`)."""

from __future__ import annotations

_SHORT = {
    "\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v", "\\": "\\\\", '"': '\\"',
}  # fmt: skip


def quote(text: str) -> str:
    """Return a string in double quotes; what can't be printed is escaped."""
    return f'"{"".join(_SHORT.get(letter) or _escaped(letter) for letter in text)}"'


def quote_character(code: int) -> str:
    """Return the character with a code in single quotes; Go prints numbers so where a text is expected."""
    if not 0 <= code <= 0x10FFFF or 0xD800 <= code < 0xE000:
        code = 0xFFFD
    letter = chr(code)
    if letter in "'\"":
        return "'\\''" if letter == "'" else "'\"'"
    return f"'{_SHORT.get(letter) or _escaped(letter)}'"


def _escaped(letter: str) -> str:
    if letter.isprintable() and (letter == " " or not letter.isspace()):
        return letter
    code = ord(letter)
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
