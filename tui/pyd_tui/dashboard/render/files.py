"""A directory as rows, and a file as lines: text highlighted, anything else in hexadecimal."""

from __future__ import annotations

import stat
from collections.abc import Iterator

from pyd_core.files.entry import FileEntry
from pyd_core.humanize import compact_size
from pyd_tui.dashboard.render.figures import Clock, moment
from pyd_tui.dashboard.render.layout import LayoutColumn
from pyd_tui.dashboard.render.pieces import EMPTY, Cell, Role, Span, cell

COLUMNS = (
    LayoutColumn(key="change", title="", min_width=1, max_width=1, priority=1),
    LayoutColumn(key="name", title="NAME", min_width=20, max_width=90, priority=0),
    LayoutColumn(key="size", title="SIZE", min_width=5, max_width=5, priority=2, right=True),
    LayoutColumn(key="mode", title="MODE", min_width=10, max_width=10, priority=3),
    LayoutColumn(key="owner", title="OWNER", min_width=5, max_width=13, priority=4, right=True),
    LayoutColumn(key="modified", title="MODIFIED", min_width=8, max_width=8, priority=5, right=True),
)
MAX_HIGHLIGHTED_BYTES = 256 << 10
"""Bytes of a file that are highlighted; longer files are shown without colours."""
MAX_LINE_CHARACTERS = 2000
"""Characters of a line that are drawn."""
HEX_LINE_BYTES = 16

_ROLES: dict[str, Role] = {"directory": "accent", "link": "info", "pipe": "warn", "socket": "warn", "device": "warn"}
_CHANGES: dict[int, Cell] = {0: (Span("~", "warn"),), 1: (Span("+", "good"),)}
"""The Engine API's numbers: modified, added."""
_TYPES = {"directory": stat.S_IFDIR, "link": stat.S_IFLNK, "pipe": stat.S_IFIFO, "socket": stat.S_IFSOCK}
_TYPES |= {"device": stat.S_IFCHR, "file": stat.S_IFREG}


def file_name(entry: FileEntry) -> Cell:
    """Return an entry's name, and a link's target."""
    executable = entry.kind == "file" and entry.mode & 0o111
    name = cell(entry.name, "good" if executable else _ROLES.get(entry.kind, "text"))
    if entry.kind == "directory":
        name = (*name, Span("/", "dim"))
    if entry.link:
        name = (*name, Span(" → ", "faint"), *cell(entry.link, "dim"))
    return name


def file_row(entry: FileEntry, change: int | None, clock: Clock) -> tuple[Cell, ...]:
    """Return an entry's cells; `change` is its difference from the image."""
    return (
        _CHANGES.get(change, EMPTY) if change is not None else EMPTY,
        file_name(entry),
        cell(compact_size(entry.size), "text") if entry.kind == "file" else EMPTY,
        cell(stat.filemode(_TYPES[entry.kind] | entry.mode), "dim"),
        cell(f"{entry.uid}:{entry.gid}", "dim"),
        cell(moment(entry.modified_ns, clock) if entry.modified_ns else "", "dim"),
    )


def file_lines(name: str, data: bytes) -> list[Cell]:
    """Return a file's lines."""
    if is_binary(data):
        return list(hex_lines(data))
    text = data.decode("utf-8", "replace").removesuffix("\n")
    if len(data) <= MAX_HIGHLIGHTED_BYTES and (lines := highlighted(name, text)) is not None:
        return lines
    return [cell(line[:MAX_LINE_CHARACTERS].expandtabs(4)) for line in text.split("\n")]


def is_binary(data: bytes) -> bool:
    """Return whether bytes aren't text: an early one is NUL, or many aren't UTF-8."""
    head = data[:8192]
    return b"\0" in head or head.decode("utf-8", "replace").count("\ufffd") > len(head) // 20 + 1


def hex_lines(data: bytes) -> Iterator[Cell]:
    """Lay bytes out as `hexdump -C` does."""
    for offset in range(0, len(data), HEX_LINE_BYTES):
        part = data[offset : offset + HEX_LINE_BYTES]
        left, right = part[:8].hex(" "), part[8:].hex(" ")
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in part)
        yield (Span(f"{offset:08x}  ", "dim"), Span(f"{left:<23}  {right:<23}  "), Span(f"{text}", "accent"))


def highlighted(name: str, text: str) -> list[Cell] | None:
    """Highlight source code by its file name or first line; None if its language is unknown."""
    from pygments.lexers import get_lexer_for_filename, guess_lexer  # noqa: PLC0415 - only when a file is opened
    from pygments.lexers.special import TextLexer  # noqa: PLC0415 - only when a file is opened
    from pygments.util import ClassNotFound  # noqa: PLC0415 - only when a file is opened

    try:
        lexer = get_lexer_for_filename(name, stripnl=False, ensurenl=False)
    except ClassNotFound:
        if not text.startswith("#!"):
            return None
        lexer = guess_lexer(text[:200], stripnl=False, ensurenl=False)
    if isinstance(lexer, TextLexer):
        return None
    lines: list[Cell] = []
    line: list[Span] = []
    for token, value in lexer.get_tokens(text):
        role = _role(str(token))
        first, *others = value.split("\n")
        line += cell(first[:MAX_LINE_CHARACTERS].expandtabs(4), role)
        for part in others:
            lines.append(tuple(line))
            line = list(cell(part[:MAX_LINE_CHARACTERS].expandtabs(4), role))
    return [*lines, tuple(line)]


_TOKENS: tuple[tuple[str, Role], ...] = (
    ("Token.Comment", "dim"),
    ("Token.Keyword", "accent"),
    ("Token.Literal.String", "good"),
    ("Token.Literal.Number", "info"),
    ("Token.Name.Tag", "accent"),
    ("Token.Name.Attribute", "info"),
    ("Token.Name.Function", "strong"),
    ("Token.Name.Class", "strong"),
    ("Token.Generic.Heading", "title"),
    ("Token.Error", "text"),
)


def _role(token: str) -> Role:
    for start, role in _TOKENS:
        if token.startswith(start):
            return role
    return "text"
