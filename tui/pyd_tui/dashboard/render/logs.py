"""Log lines as text: colours may stay, everything else a terminal would act on is made visible."""

from __future__ import annotations

from rich.ansi import AnsiDecoder
from rich.style import Style

from pyd_core.client.gap import Gap
from pyd_core.sanitise import safe, safe_bytes
from pyd_tui.dashboard.render.figures import counted
from pyd_tui.dashboard.render.pieces import EMPTY, Cell, Span, cell

MAX_DRAWN_BYTES = 8192
"""Bytes of a line that are drawn; the rest is counted."""


def gap(item: Gap) -> Cell:
    """Report a gap."""
    lost = (
        "some lines may be missing"
        if item.lost is None
        else f"{counted(item.lost, 'line')} missing"
        if item.lost
        else ""
    )
    return cell(f"── connection was cut{': ' + lost if lost else ', nothing is missing'} ──", "warn")


def coloured(data: bytes) -> Cell:
    """Write a line's text in its own colours."""
    text = safe_bytes(data, colour=True).replace("\t", "    ")
    if "\x1b" not in text:
        return (Span(text),) if text else EMPTY
    pieces: list[Span] = []
    decoded = AnsiDecoder().decode_line(text)
    for segment_text, style in _runs(decoded.plain, [(span.start, span.end, span.style) for span in decoded.spans]):
        pieces.append(Span(safe(segment_text), style) if style is not None else Span(safe(segment_text)))
    return tuple(pieces)


def _runs(plain: str, spans: list[tuple[int, int, str | Style]]) -> list[tuple[str, Style | None]]:
    """Split a text where its style changes; the decoder's spans are in order and never overlap."""
    runs: list[tuple[str, Style | None]] = []
    offset = 0
    for start, end, style in spans:
        if start > offset:
            runs.append((plain[offset:start], None))
        runs.append((plain[start:end], style if isinstance(style, Style) else Style.parse(style)))
        offset = end
    if offset < len(plain):
        runs.append((plain[offset:], None))
    return runs
