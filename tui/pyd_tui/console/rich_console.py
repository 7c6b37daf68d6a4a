"""The rich console of stdout, for commands that write to a terminal."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console


@cache
def console() -> Console:
    """Return the console, which respects `NO_COLOR`, `TERM` and the terminal's width."""
    from rich.console import Console

    # No markup, highlighting or emoji: text comes from containers.
    return Console(markup=False, highlight=False, emoji=False)
