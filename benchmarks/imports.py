"""The cost of importing each dependency, as docs/development/dependencies.md states it."""

from __future__ import annotations

import sys

from measure import Skip, taken_in_turn

MODULES = (
    "asyncio",
    "click",
    "httpx",
    "msgspec",
    "platformdirs",
    "prompt_toolkit",
    "psutil",
    "pygments.lexers, pygments.styles",
    "pyroute2",
    "rich.console, rich.table",
    "textual.app",
    "tornado.web",
)


def costs(rounds: int) -> dict[str, float]:
    """Return each module's import time in processor milliseconds, with byte code in place.

    The least of all rounds: an import always does the same, so whatever took longer was something else's doing.
    """
    costs = {}
    for module in MODULES:
        try:
            bare, full = taken_in_turn(
                (sys.executable, "-I", "-c", "pass"), (sys.executable, "-I", "-c", f"import {module}"), rounds=rounds
            )
        except Skip:
            continue
        costs[module] = (min(sample.cpu for sample in full) - min(sample.cpu for sample in bare)) * 1e3
    return costs
