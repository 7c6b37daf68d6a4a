"""ASCII output of the same width for terminals without UTF-8."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.segment import Segment
from textual.filter import LineFilter

if TYPE_CHECKING:
    from textual.color import Color

_SIGNS = {
    **dict.fromkeys("●◆•", "*"),
    **dict.fromkeys("○◐◇", "o"),
    "▰": "#",
    "▱": "-",
    **dict.fromkeys("✗\N{MULTIPLICATION SIGN}", "x"),
    **dict.fromkeys("▌▐┃│╎", "|"),
    **dict.fromkeys("─━—\N{EN DASH}", "-"),
    **dict.fromkeys("╭╮╰╯┌┐└┘├┤┬┴┼", "+"),
    **dict.fromkeys("…·▏", "."),
    **dict.fromkeys("\N{LEFT SINGLE QUOTATION MARK}\N{RIGHT SINGLE QUOTATION MARK}", "'"),
    **dict.fromkeys("“”", '"'),
    **dict.fromkeys("▸▶→", ">"),
    **dict.fromkeys("▾▼↓✓", "v"),
    **dict.fromkeys("←⌫", "<"),
    **dict.fromkeys("↑▀", "^"),
    **dict(zip("‖↻␤▁▂▃▄▅▆▇█░▒▓", "=@~._-=+*##.:#", strict=True)),
}
_BRAILLE = " .:+#"
"""Graph characters: the more dots, the darker."""


class Ascii(LineFilter):
    """Replaces characters by similar ASCII ones; those without one become question marks."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Rewrite one line."""
        del background
        return [
            segment if segment.control or segment.text.isascii() else Segment(plain(segment.text), segment.style)
            for segment in segments
        ]


@lru_cache(4096)
def plain(text: str) -> str:
    """Return a text in ASCII of the same width in terminal columns."""
    return "".join(map(_sign, text))


@lru_cache(4096)
def _sign(character: str) -> str:
    if character.isascii():
        return character
    if character in _SIGNS:
        return _SIGNS[character]
    if "\u2800" <= character <= "\u28ff":
        return _BRAILLE[(ord(character) - 0x2800).bit_count() // 2]
    if "\u2400" <= character <= "\u241f":
        return "^"
    base = unicodedata.normalize("NFKD", character)[0]
    columns = cell_len(character)
    return base if base.isascii() and base.isprintable() and columns == 1 else "?" * columns
