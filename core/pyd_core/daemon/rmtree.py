"""Removing directories with all below them, however much that is, while the engine goes on answering."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path

from pyd_core.linux.tree import remove_tree


async def remove(places: Iterable[Path]) -> None:
    """Removes files and trees that nobody finds any more, on a thread; what can't be removed stays.

    Nothing may be mounted in them. Whoever is cancelled leaves the thread to its end.
    """
    going = list(places)
    if going:
        await asyncio.to_thread(_remove, going)


def _remove(going: list[Path]) -> None:
    for each in going:
        remove_tree(each, ignore_errors=True)
