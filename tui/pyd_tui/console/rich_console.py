"""The rich console of stdout, for verbs that found a terminal there."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console


@cache
def console() -> Console:
    """Returns the console; it obeys `NO_COLOR`, `TERM` and the terminal's width by itself."""
    from rich.console import Console

    # Nothing shown is markup or guessed at: texts come from containers.
    return Console(markup=False, highlight=False, emoji=False)
