"""Printing of JSON documents."""

from __future__ import annotations

from pyd_tui.console.output import on_terminal, write


def print_document(text: str, *, plain: bool) -> None:
    """Print JSON text, coloured on a terminal unless it is to be plain."""
    if not on_terminal() or plain:
        write(text + "\n")
        return
    from rich.highlighter import JSONHighlighter
    from rich.text import Text

    from pyd_tui.console.rich_console import console

    highlighted = Text(text)
    JSONHighlighter().highlight(highlighted)
    console().print(highlighted, soft_wrap=True)
