"""What importing each dependency costs, as docs/dependencies.md states it."""

from __future__ import annotations

import sys

from measure import Skip, in_turn

MODULES = (
    "asyncio",
    "click",
    "h11",
    "httpx",
    "msgspec",
    "platformdirs",
    "prompt_toolkit",
    "psutil",
    "pygments",
    "pyroute2",
    "rich.console, rich.table",
    "textual.app",
)


def costs(rounds: int) -> dict[str, float]:
    """Milliseconds each module takes over an interpreter that imports nothing, byte code being there."""
    found = {}
    for module in MODULES:
        try:
            bare, full = in_turn(
                (sys.executable, "-I", "-c", "pass"), (sys.executable, "-I", "-c", f"import {module}"), rounds=rounds
            )
        except Skip:
            continue
        found[module] = (full.wall - bare.wall) * 1e3
    return found
