"""Output to stdout: plain text, JSON, and detection of a terminal."""

from __future__ import annotations

import os
import re
import sys

import msgspec

_HIDDEN = re.compile("[\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f]")
"""Characters that JSON allows unescaped, but that a terminal interprets or hides."""


def on_terminal() -> bool:
    """Return whether stdout is a terminal."""
    return sys.stdout.isatty()


def coloured() -> bool:
    """Return whether output may be coloured: on a terminal that supports it, unless `NO_COLOR` is set (https://no-color.org)."""
    return on_terminal() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def write(text: str) -> None:
    """Write text to stdout."""
    sys.stdout.write(text)


def json_line(value: object) -> str:
    """Encode a value as JSON on one line, with characters that a terminal interprets escaped."""
    return _HIDDEN.sub(_escape, msgspec.json.encode(value).decode())


def json_document(raw: bytes) -> str:
    """Indent JSON text, with characters that a terminal interprets escaped."""
    return _HIDDEN.sub(_escape, msgspec.json.format(raw, indent=2).decode())


def write_json(value: object) -> None:
    """Write a value as a JSON document."""
    write(json_document(msgspec.json.encode(value)) + "\n")


def _escape(match: re.Match[str]) -> str:
    data = match.group().encode("utf-16-be")
    return "".join(f"\\u{data[i]:02x}{data[i + 1]:02x}" for i in range(0, len(data), 2))
