"""A screen as a picture: SGR-coloured text to SVG, SVG to PNG; frames are looked at, not only asserted."""

from __future__ import annotations

import io
import os
import re
import subprocess
from pathlib import Path

FONTS = "'JetBrains Mono', 'DejaVu Sans Mono', monospace"

# rich and Textual set cells 0.61 em wide for Fira Code and stretch each run by textLength, which librsvg ignores. The
# fonts above are 0.6 em wide: this size makes their cells as wide as the drawing expects, so that columns meet.
CELL_EM = 0.61 / 0.60


def ansi_to_svg(ansi: str, columns: int, title: str = "") -> str:
    """Draw lines of text with SGR sequences as an SVG of a terminal `columns` wide."""
    from rich.console import Console
    from rich.text import Text

    # tmux marks line-drawing cells with shift-out and shift-in, which mean nothing in UTF-8.
    text = Text.from_ansi(re.sub(r"[\x0e\x0f]", "", ansi), no_wrap=True, overflow="crop")
    console = Console(
        record=True,
        width=columns,
        file=io.StringIO(),
        force_terminal=True,
        color_system="truecolor",
        legacy_windows=False,
    )
    console.print(text, crop=True)
    return console.export_svg(title=title, unique_id="screen")


def svg_to_png(svg: str, path: str | os.PathLike[str], zoom: float = 1.0) -> Path:
    """Render an SVG of rich or Textual with rsvg-convert, in a font this machine has."""
    svg = re.sub(r"@font-face\s*\{.*?\}", "", svg, flags=re.DOTALL)
    svg = re.sub(r"font-family:\s*[^;]*Fira Code[^;]*;", f"font-family: {FONTS};", svg)
    svg = re.sub(r"font-size:\s*([\d.]+)px", lambda match: f"font-size: {float(match[1]) * CELL_EM:.3f}px", svg)
    svg = svg.replace("<text ", '<text xml:space="preserve" ')  # librsvg trims even no-break spaces otherwise
    out = Path(path)
    subprocess.run(["rsvg-convert", "--zoom", str(zoom), "-o", out], input=svg.encode(), check=True)
    return out
