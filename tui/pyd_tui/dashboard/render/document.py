"""A JSON document as highlighted lines."""

from __future__ import annotations

import re

import msgspec

from pyd_tui.dashboard.render.pieces import Cell, Piece, Role, cell

_TOKEN = re.compile(
    r'(?P<key>"(?:[^"\\]|\\.)*")(?P<colon>:)|(?P<string>"(?:[^"\\]|\\.)*")|(?P<number>-?\d[\d.eE+-]*)'
    r"|(?P<word>true|false|null)|(?P<mark>[{}\[\],])|(?P<blank>\s+)"
)
_ROLES: dict[str, Role] = {
    "key": "accent",
    "colon": "faint",
    "string": "text",
    "number": "info",
    "word": "info",
    "mark": "dim",
    "blank": "text",
}


def document(body: bytes) -> list[Cell]:
    """Lays out an engine's JSON, two blanks a level, keys in the engine's order."""
    text = msgspec.json.format(body, indent=2).decode(errors="replace")
    return [json_line(line) for line in text.split("\n")]


def json_line(line: str) -> Cell:
    """Highlights one line of laid out JSON."""
    pieces: list[Piece] = []
    for match in _TOKEN.finditer(line):
        for name, part in match.groupdict().items():
            if part:
                pieces += cell(part, _ROLES[name])
    return tuple(pieces)
